import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A fault of one request. The list has one fault a request; further requests succeed. */
export type HubFault = 'cut' | 'busy' | 'stall' | 'missing' | 'no ranges';

/** A model hub on loopback: serves files by their paths, with byte ranges. */
export async function startFakeHub(files: Record<string, Buffer>, faults: HubFault[] = []) {
  const requests: { path: string; range: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push({ path, range: request.headers.range });
    answer(request, response, files[path], faults.shift());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, file: Buffer | undefined, fault?: HubFault) {
  if (!file || fault === 'missing') return void response.writeHead(404).end('Entry not found');
  if (fault === 'busy') return void response.writeHead(503, { 'retry-after': '0' }).end();
  const range = fault === 'no ranges' ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  if (from >= file.length) return void response.writeHead(416).end();
  const rest = file.subarray(from);
  response.writeHead(range ? 206 : 200, {
    'content-length': rest.length,
    ...(range ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
  });
  if (fault !== 'cut' && fault !== 'stall') return void response.end(rest);
  response.write(rest.subarray(0, Math.floor(rest.length / 2)), () => {
    if (fault === 'cut') response.destroy();
  });
}
