import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { findModelServers, hasModel, modelServerNote, usualPlaces } from '../../deploy/local/model-servers.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { LocalProvider } from '../../runtime/local-model-servers.ts';

const opened: { close(): void }[] = [];
afterEach(() => opened.splice(0).forEach((server) => server.close()));

/** A server on a free port, as a place of a provider, with the requests that it got. */
async function serve(provider: LocalProvider, listener: RequestListener) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  }).listen(0, '127.0.0.1');
  opened.push({ close: () => (server.closeAllConnections(), server.close()) });
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { place: { provider, baseUrl }, requests };
}
const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const list = (...ids: string[]) => ({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });

test('servers are found with their models, by one GET without a body or a key each', async () => {
  const ollama = await serve('ollama', json({ models: [{ name: 'nomic-embed-text:latest' }, { name: 'qwen3:8b' }] }));
  const studio = await serve('lmstudio', json(list('openai/gpt-oss-20b', 'text-embedding-nomic')));
  const found = await findModelServers([ollama.place, studio.place], 5_000);
  expect(found).toEqual([
    { ...ollama.place, models: ['qwen3:8b'] },
    { ...studio.place, models: ['openai/gpt-oss-20b'] },
  ]);
  const seen = [...ollama.requests, ...studio.requests];
  expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /api/tags', 'GET /v1/models']);
  for (const { headers } of seen) {
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('content-length');
  }
});

test('what is no model server, or is silent, is left out, and the silent one does not hold up the others', async () => {
  const elsewhere = await serve('vllm', json(list('secret')));
  const places = await Promise.all([
    serve('ollama', () => undefined),
    serve('llamacpp', (_, response) => void response.end('<html>Welcome</html>')),
    serve('llamacpp', json({ code: 'not_found', status: 404 }, 404)),
    serve('vllm', json(list('gone'), 503)),
    serve('vllm', json({ object: 'list', data: 'none' })),
    serve(
      'vllm',
      (_, response) => void response.writeHead(302, { location: `${elsewhere.place.baseUrl}/models` }).end(),
    ),
    serve('vllm', (_, response) => void response.write('[', () => response.destroy())),
    serve('vllm', json(list(...Array.from({ length: 3_000 }, (_, index) => `${index}-${'x'.repeat(400)}`)))),
  ]);
  const good = await serve('lmstudio', json(list('good')));
  const closed = { provider: 'vllm' as const, baseUrl: 'http://127.0.0.1:9/v1' };
  const begun = performance.now();
  const found = await findModelServers([...places.map(({ place }) => place), closed, good.place], 1_000);
  expect(found).toEqual([{ ...good.place, models: ['good'] }]);
  // All at the same time: one timeout and not the sum of several.
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(elsewhere.requests).toEqual([]);
});

test('a process that is busy while the answer comes still reads it', async () => {
  const { place } = await serve('lmstudio', json(list('good')));
  const finding = findModelServers([place], 300);
  // As loading the code of workers and API does.
  const busyUntil = performance.now() + 800;
  while (performance.now() < busyUntil);
  expect(await finding).toHaveLength(1);
});

test('names that a person could not safely copy are not shown', async () => {
  const names = ['$(reboot)', 'a;b', 'a b', '-rf', '\u001b[2J', "'x'", 'Qwen/Qwen3-8B'];
  const { place } = await serve('vllm', json(list(...names)));
  expect((await findModelServers([place], 5_000))[0]?.models).toEqual(['Qwen/Qwen3-8B']);
});

test('the note has the command, and the address when it is not the usual one', () => {
  const ollama = { provider: 'ollama' as const, baseUrl: 'http://127.0.0.1:11434/v1' };
  expect(modelServerNote({ ...ollama, models: ['a', 'b:1', 'c', 'd', 'e'] })).toBe(
    'Ollama answers at 127.0.0.1:11434 (a, b:1, c and 2 more). Let it answer: npm start -- --model ollama:a. It needs OLLAMA_CONTEXT_LENGTH=8192 or more',
  );
  expect(modelServerNote({ ...ollama, models: [] })).toContain('has no model that could answer yet');
  expect(modelServerNote({ provider: 'llamacpp', baseUrl: 'http://127.0.0.1:8081/v1', models: ['m.gguf'] })).toContain(
    'LLAMACPP_BASE_URL=http://127.0.0.1:8081/v1 npm start -- --model llamacpp:m.gguf',
  );
});

test('the stack’s own ports are not asked, and nothing is proposed once a model is chosen', () => {
  const ports = (own: number[]) => usualPlaces(own).map(({ baseUrl }) => Number(new URL(baseUrl).port));
  expect(ports([8080, 7233])).toEqual([11_434, 1_234, 8_000, 8_081]);
  expect(ports([8081])).toEqual([11_434, 1_234, 8_080, 8_000]);
  const chosen = (environment: object) => hasModel(loadConfig({ DATABASE_URL: 'postgres://unused', ...environment }));
  expect(chosen({})).toBe(false);
  expect(chosen({ OPENAI_API_KEY: 'key', ALFRED_AGENTS: '{"knowledge": {"budget": {"maxCostUsd": 1}}}' })).toBe(false);
  expect(chosen({ ALFRED_MODEL: 'offline:quote' })).toBe(true);
  expect(chosen({ ANTHROPIC_API_KEY: 'key' })).toBe(true);
  expect(chosen({ ALFRED_AGENTS: '{"knowledge": {"model": "ollama:qwen3:8b"}}' })).toBe(true);
});
