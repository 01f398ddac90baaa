import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHttpRecogniser } from '../../../adapters/ocr/http-recogniser.ts';

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/read`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const recognise = (signal = new AbortController().signal) =>
  createHttpRecogniser(url, { apiKey: 'k-1' }).recognise(png, signal);

test('a picture is sent with its type and key, and text or JSON is the answer', async () => {
  const seen: unknown[] = [];
  answer = ({ method, headers }, response) => {
    seen.push([method, headers['content-type'], headers.authorization, headers['content-length']]);
    response.setHeader('content-type', 'text/plain; charset=utf-8').end('Tür 7');
  };
  expect(await recognise()).toBe('Tür 7');
  expect(seen).toEqual([['POST', 'image/png', 'Bearer k-1', '8']]);
  answer = (_, response) => response.setHeader('content-type', 'application/json').end('{"text":"Gate"}');
  expect(await recognise()).toBe('Gate');
});

test('a refusal, a redirect and JSON without text are told, without the picture or the key', async () => {
  answer = (_, response) => response.writeHead(503).end('k-1');
  await expect(recognise()).rejects.toMatchObject({
    code: 'file_unreadable',
    message: expect.stringMatching(/^text recognition at 127\.0\.0\.1:\d+ answered 503\. See that it runs/),
  });
  answer = (_, response) => response.writeHead(302, { location: 'http://elsewhere.example' }).end();
  await expect(recognise()).rejects.toThrow('answered 302');
  answer = (_, response) => response.setHeader('content-type', 'application/json').end('{"words":[]}');
  await expect(recognise()).rejects.toThrow('answered with JSON that has no "text"');
});

test('a cancelled request ends with the reason of its signal', async () => {
  const cancel = new AbortController();
  answer = () => cancel.abort(new Error('the file was cancelled'));
  await expect(recognise(cancel.signal)).rejects.toThrow('the file was cancelled');
  await expect(
    createHttpRecogniser('http://127.0.0.1:9', { apiKey: undefined }).recognise(png, new AbortController().signal),
  ).rejects.toThrow('cannot be reached');
});
