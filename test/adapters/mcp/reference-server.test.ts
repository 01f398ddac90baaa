import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { everythingProgram, startEverythingServer } from '../../support/mcp/everything-server.ts';
import { startMcpWorker } from '../../support/mcp/mcp-worker.ts';

let env: TestEnvironment;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await createTestEnvironment();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
  await env.postgres.pool.query('delete from mcp_tools');
});
afterAll(() => env?.close());

const reading = { effect: 'read', agents: ['knowledge'] };

async function start(servers: object) {
  const worker = await startMcpWorker(env, servers);
  open.push(worker);
  return worker;
}

const everything = {
  echo: reading,
  'get-sum': reading,
  'get-structured-content': reading,
  'get-tiny-image': reading,
  'trigger-long-running-operation': reading,
};

test('a program that answers with more than it may is ended, and starts again with the next call', async () => {
  const program = { command: process.execPath, args: [everythingProgram, 'stdio'], maxBytes: 30_000 };
  const worker = await start({ every: { ...program, tools: { echo: reading } } });
  const error = await worker.failure('mcp_every_echo', { message: 'x'.repeat(40_000) });
  expect(error).toMatchObject({ code: 'destination_refused', message: expect.stringContaining('30000 bytes') });
  expect(await worker.call('mcp_every_echo', { message: 'hello' })).toMatchObject({ output: { text: 'Echo: hello' } });
});

test.each(['stdio', 'streamable HTTP'])('the reference server is used over %s', async (kind) => {
  const running = kind === 'stdio' ? undefined : await startEverythingServer();
  try {
    const place = running ? { url: running.url } : { command: process.execPath, args: [everythingProgram, 'stdio'] };
    const worker = await start({ every: { ...place, tools: everything } });
    expect(worker.offered()).toHaveLength(5);
    const outputs = await Promise.all([
      worker.call('mcp_every_echo', { message: 'hello' }),
      worker.call('mcp_every_get-sum', { a: 2, b: 40 }),
      worker.call('mcp_every_get-structured-content', { location: 'Chicago' }),
      worker.call('mcp_every_get-tiny-image'),
      worker.call('mcp_every_trigger-long-running-operation', { duration: 0.2, steps: 2 }),
    ]);
    expect(outputs.map(({ output }) => output)).toEqual([
      expect.objectContaining({ text: 'Echo: hello' }),
      expect.objectContaining({ text: expect.stringContaining('42') }),
      expect.objectContaining({ data: expect.objectContaining({ temperature: expect.any(Number) }) }),
      expect.objectContaining({ omitted: ['image (image/png)'] }),
      expect.objectContaining({ text: expect.stringContaining('completed') }),
    ]);
  } finally {
    await running?.stop();
  }
});
