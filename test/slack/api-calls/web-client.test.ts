import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { webApi } from '@slack/bolt';
import { createWebClient } from '../../../slack/api-calls/web-client.ts';

test.each([
  ['7', 7],
  [undefined, 30],
  ['soon', 30],
])('a 429 with Retry-After %s is reported at once, with the time to wait', async (retryAfter, expected) => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{"ok":false}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
  const error = await createWebClient({ token: 'xoxb-1', apiUrl })
    .apiCall('chat.postMessage', {})
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(webApi.WebAPIRateLimitedError);
  expect((error as webApi.WebAPIRateLimitedError).retryAfter).toBe(expected);
  expect(requests).toBe(1);
  server.close();
});
