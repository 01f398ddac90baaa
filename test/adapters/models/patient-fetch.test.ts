import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import { createPatientFetch } from '../../../adapters/models/patient-fetch.ts';
import { startWireServer } from '../../support/fakes/wire-server.ts';
import { collectResponse, requestOf } from '../../support/providers/collect-response.ts';

test('a connection that is not made in time is given up, with the host that was called', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = createPatientFetch({ connectMs: 50 })(`https://${host}/v1?key=secret`);
  await expect(answer).rejects.toThrow(`The connection to ${host} was not made within 0.05 s.`);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('a redirect is refused, and the error says where the server is now', async () => {
  const server = await startWireServer(() => ({
    status: 307,
    headers: { location: 'https://user:secret@models.example:8443/v1/chat?key=secret' },
    json: {},
  }));
  const provider = createOpenAiProvider({ baseUrl: server.url, idleMs: 1_800_000 });
  const { error, events } = await collectResponse(provider, requestOf({ model: 'x' }));
  expect(error).toMatchObject({
    code: 'model_rejected',
    message: expect.stringContaining('redirects requests to models.example:8443: set the base URL to that server'),
  });
  expect((error as Error).message).not.toContain('secret');
  expect(events).toEqual([]);
  await server.close();
});
