import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import fastify from 'fastify';
import type { Api } from '../../api/http/fastify.ts';
import { mcpRoutes } from '../../api/routes/mcp.ts';
import { signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let harness: ApiHarness;
const open: Client[] = [];
const approvalRule = { approvals: [{ tool: 'send_payment', approvers: { subjects: ['ada'] } }] };

beforeAll(async () => {
  harness = await createApiHarness(
    { ALFRED_AGENTS: JSON.stringify({ knowledge: approvalRule }) },
    {
      identify: ({ authorization = '' }) => {
        const [, subject] = /^Bearer (\w+)$/.exec(authorization) ?? [];
        if (subject === undefined) return undefined;
        return subject === 'reader' ? signedIn(subject, { scopes: ['tasks:read'] }) : signedIn(subject);
      },
    },
  );
});
afterAll(async () => {
  for (const client of open) await client.close();
  await harness?.close();
});

async function connect(subject = 'ada') {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', harness.url), {
    requestInit: { headers: { authorization: `Bearer ${subject}` } },
  });
  await client.connect(transport);
  open.push(client);
  const call = async (name: string, given: Record<string, unknown> = {}, onProgress?: (message: string) => void) => {
    const result = await client.request(
      { method: 'tools/call', params: { name, arguments: given } },
      CallToolResultSchema,
      { ...(onProgress ? { onprogress: ({ message = '' }) => onProgress(message) } : {}) },
    );
    const [part] = result.content;
    return { text: part?.type === 'text' ? part.text : '', data: result.structuredContent, isError: result.isError };
  };
  return { client, call };
}

test('a client lists the tools, and asks an agent by the same route as everybody', async () => {
  const { client, call } = await connect();
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).toSorted()).toEqual([
    'ask_alfred',
    'cancel_task',
    'decide_approval',
    'get_task',
    'list_agents',
    'list_approvals',
    'search_documents',
  ]);
  harness.script([{ text: ['Forty-two.'] }]);
  const heard: string[] = [];
  const answer = await call('ask_alfred', { text: 'How many?' }, (message) => heard.push(message));
  expect(answer.text).toBe('Forty-two.');
  expect(answer.data).toMatchObject({ status: 'completed', agent: 'knowledge' });
  expect(heard[0]).toMatch(/^The task \S+ is (queued|running)\.$/);
  const read = await call('get_task', { id: answer.data?.['id'] });
  expect(read.text).toBe('Forty-two.');
});

test('a question that is repeated with its key is asked once', async () => {
  const { call } = await connect();
  harness.script([{ text: ['Once.'] }]);
  const asked = { text: 'How often?', idempotencyKey: randomUUID() };
  const first = await call('ask_alfred', asked);
  const second = await call('ask_alfred', asked);
  expect(second.data).toMatchObject({ id: first.data?.['id'] });
  expect(second.text).toBe('Once.');
});

test('a task that takes longer goes on and is cancelled by its id', async () => {
  const { call } = await connect();
  const endless = Promise.withResolvers<void>();
  harness.script([{ until: (signal) => Promise.race([endless.promise, until('aborted', () => signal.aborted)]) }]);
  const { text, data } = await call('ask_alfred', { text: 'How long?', waitS: 0 });
  expect(text).toContain(`${String(data?.['id'])} is queued and goes on`);
  const cancelled = await call('cancel_task', { id: data?.['id'], reason: 'No longer needed.' });
  endless.resolve();
  expect(cancelled.text).toMatch(/is (cancelled|running)/);
  await harness.taskReaches(String(data?.['id']), 'cancelled', { authorization: 'Bearer ada' });
});

test('a call that waits for a person is listed and decided, and not when it is another call by now', async () => {
  const { call } = await connect();
  const paid: unknown[] = [];
  harness.tool(
    'send_payment',
    async (input, { beforeSend }) => {
      await beforeSend();
      paid.push(input);
      return { output: { paid: true }, summary: 'Paid' };
    },
    { effect: 'write' },
  );
  harness.script([{ calls: [{ tool: 'send_payment', arguments: { eur: 7 } }] }, { text: ['It is paid.'] }]);
  const { data, text } = await call('ask_alfred', { text: 'Pay.' });
  expect(text).toContain('is waiting and goes on');
  const { data: listed } = await call('list_approvals');
  const [approval] = listed?.['approvals'] as { id: string; taskId: string; argumentsHash: string }[];
  expect(approval?.taskId).toBe(data?.['id']);
  const decision = { id: approval?.id, decision: 'approve' };
  const other = await call('decide_approval', { ...decision, argumentsHash: 'another' });
  expect(other).toMatchObject({ isError: true, text: expect.stringMatching(/^approval_changed: /) });
  const stranger = await connect('bob');
  const refused = await stranger.call('decide_approval', { ...decision, argumentsHash: approval?.argumentsHash });
  expect(refused.text).toMatch(/^not_found: /);
  await call('decide_approval', { ...decision, argumentsHash: approval?.argumentsHash });
  await harness.taskReaches(String(data?.['id']), 'completed', { authorization: 'Bearer ada' });
  expect(paid).toEqual([{ eur: 7 }]);
});

test('who sends no credential is asked for one, and scopes and owners count as in the API', async () => {
  const stranger = await fetch(new URL('/mcp', harness.url), { method: 'POST' });
  expect(stranger.status).toBe(401);
  expect(stranger.headers.get('www-authenticate')).toMatch(/^Bearer/);
  const page = await fetch(new URL('/mcp', harness.url), {
    method: 'POST',
    headers: { origin: 'https://evil.example.com', authorization: 'Bearer ada' },
  });
  expect(page.status).toBe(403);
  const reader = await connect('reader');
  const refused = await reader.call('ask_alfred', { text: 'How many?' });
  expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/^insufficient_scope: /) });
  harness.script([{ text: ['For Ada alone.'] }]);
  const { call } = await connect();
  const { data } = await call('ask_alfred', { text: 'How many?' });
  const bob = await connect('bob');
  expect((await bob.call('get_task', { id: data?.['id'] })).text).toMatch(/^not_found: /);
});

test('an empty body and a batch are refused, and take no place of an event stream', async () => {
  const post = (body?: string) =>
    fetch(new URL('/mcp', harness.url), {
      method: 'POST',
      headers: { authorization: 'Bearer ada', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    });
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  for (const body of [undefined, JSON.stringify([ping]), '[]']) {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      code: 'malformed_request',
      detail: expect.stringContaining('one message'),
    });
  }
});

test('a client that has gone before its request is handled takes no place of an event stream', async () => {
  const app = fastify();
  const [left, handled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let taken = 0;
  app.addHook('preHandler', async (_, { raw }) => {
    left.resolve();
    if (!raw.destroyed) await once(raw, 'close');
    setImmediate(handled.resolve);
  });
  const takeStream = () => {
    taken += 1;
    return () => void (taken -= 1);
  };
  await app.register(async (api) =>
    mcpRoutes({ draining: new AbortController().signal, takeStream })(api as unknown as Api),
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const leaving = new AbortController();
  const asked = fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    signal: leaving.signal,
  });
  asked.catch(() => {});
  await left.promise;
  leaving.abort();
  await handled.promise;
  await app.close();
  expect(taken).toBe(0);
});

test('there is no session and no stream of its own: other methods are refused', async () => {
  for (const method of ['GET', 'DELETE']) {
    const answer = await fetch(new URL('/mcp', harness.url), { method, headers: { authorization: 'Bearer ada' } });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
  }
});
