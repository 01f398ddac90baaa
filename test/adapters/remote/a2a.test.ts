import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteAgents } from '../../../adapters/remote/remote-agents.ts';
import type { RemoteState } from '../../../contract/ports/index.ts';
import type { RemoteAgentEntry, RemoteAuth } from '../../../runtime/remote-agent-settings.ts';
import { startSampleAgent, type SampleAgent } from '../../support/a2a/sample-agent.ts';
import { startTokenServer } from '../../support/a2a/token-server.ts';
import { until } from '../../support/until.ts';

let agent: SampleAgent;
let folder: string;
beforeAll(async () => {
  agent = await startSampleAgent();
  folder = await mkdtemp(join(tmpdir(), 'remote-'));
});
beforeEach(() => {
  Object.assign(agent, { fault: () => undefined, token: undefined });
  agent.work = (work) => work.answer(`You said: ${work.text}`);
  agent.requests.length = agent.messages.length = 0;
});
afterAll(async () => {
  await agent?.close();
  await rm(folder, { recursive: true });
});

const entry = (more: Partial<RemoteAgentEntry> = {}) => ({
  protocol: 'a2a' as const,
  url: agent.url,
  description: 'Answers.',
  costPerCallUsd: 0,
  repeatable: false,
  auth: more.auth,
  ...(more.url === undefined ? {} : { url: more.url }),
});
const remoteWith = (more: Partial<RemoteAgentEntry> = {}, variables: Record<string, string> = {}) =>
  createRemoteAgents({ sample: entry(more) }, () => variables);
const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const signal = AbortSignal.timeout(60_000);
const ask = (remote: ReturnType<typeof remoteWith>, text = 'Hello') =>
  remote.start('sample', { key: 'k-1', text }, signal);

async function lastState(remote: ReturnType<typeof remoteWith>, state: RemoteState): Promise<RemoteState> {
  let last = state;
  while (last.state === 'working') for await (const one of remote.watch('sample', last, signal)) last = one;
  return last;
}

describe('an agent of A2A', () => {
  test('gets the text under our key, and its artifacts are the answer', async () => {
    const remote = remoteWith();
    expect(await lastState(remote, await ask(remote))).toMatchObject({ state: 'answered', text: 'You said: Hello' });
    expect(agent.messages).toMatchObject([{ messageId: 'k-1' }]);
  });

  test('whose answer has 100 MB is cut off, with its size in the message', async () => {
    const remote = remoteWith();
    agent.fault = (method) => (method === 'GetTask' ? 'endless' : undefined);
    const outcome = ask(remote).then((state) => lastState(remote, state));
    await expect(outcome).rejects.toMatchObject({
      code: 'remote_failed',
      message: expect.stringContaining('longer than 8 MB'),
    });
    // It is not read to its end.
    expect(agent.written()).toBeLessThan(50_000_000);
  });

  test.each([
    ['no JSON', 'Welcome!'],
    ['another protocol', '{"hello":1}'],
    ['an answer to another request', '{"jsonrpc":"2.0","id":99,"result":{}}'],
    ['no task', '{"jsonrpc":"2.0","id":1,"result":{"task":{}}}'],
    ['an unknown state', '{"jsonrpc":"2.0","id":1,"result":{"task":{"id":"t","status":{"state":"DREAMING"}}}}'],
  ])('that answers with %s has failed', async (_, body) => {
    agent.fault = () => ({ body });
    await expect(ask(remoteWith())).rejects.toMatchObject({ code: 'remote_failed' });
  });

  test.each([
    [503, 'remote_unavailable'],
    [429, 'remote_unavailable'],
    [500, 'effect_unknown'],
    [403, 'remote_refused'],
    [307, 'remote_refused'],
  ])('that answers %i to the request: %s', async (status, code) => {
    agent.fault = () => ({ status, headers: { 'retry-after': '7', location: 'http://127.0.0.1:1/' } });
    await expect(ask(remoteWith())).rejects.toMatchObject({ code });
  });

  test('that answers 503 and names no time may have begun', async () => {
    agent.fault = () => ({ status: 503 });
    await expect(ask(remoteWith())).rejects.toMatchObject({ code: 'effect_unknown' });
  });

  test.each([
    [-32602, 'remote_refused'],
    [-32601, 'remote_refused'],
    [-32001, 'remote_refused'],
    [-32009, 'remote_refused'],
    [-32603, 'effect_unknown'],
    [-32006, 'effect_unknown'],
    [-32099, 'effect_unknown'],
  ])('that answers with the error %i to the request: %s, and its words go nowhere', async (code, expected) => {
    agent.fault = () => ({ body: JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code, message: 'Jane may not' } }) });
    const error = await ask(remoteWith()).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: expected, cause: { message: expect.stringContaining(`code ${code}`) } });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('Jane');
  });

  test('whose card has no form is refused before anything is sent', async () => {
    const bare = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ protocolVersion: '1.0', supportedInterfaces: [{ url: addressOf(bare) }] }));
    });
    await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
    try {
      await expect(ask(remoteWith({ url: addressOf(bare) }))).rejects.toMatchObject({ code: 'remote_refused' });
    } finally {
      bare.closeAllConnections();
      bare.close();
    }
  });

  test('says how long to wait', async () => {
    agent.fault = () => ({ status: 503, headers: { 'retry-after': '7' } });
    await expect(ask(remoteWith())).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  test('that is not there was not asked', async () => {
    const gone = remoteWith({ url: 'http://127.0.0.1:9' });
    await expect(ask(gone)).rejects.toMatchObject({ code: 'remote_unavailable' });
  });

  test('whose card names another host gets nothing there', async () => {
    const other = await startSampleAgent({ cardUrl: 'http://127.0.0.1:1' });
    try {
      await expect(ask(remoteWith({ url: other.url }))).rejects.toMatchObject({
        code: 'remote_refused',
        message: expect.stringContaining('http://127.0.0.1:1'),
      });
    } finally {
      await other.close();
    }
  });

  test('is found by our key, and only by that', async () => {
    const remote = remoteWith();
    agent.work = (work) => work.cancelled;
    await ask(remote);
    const since = new Date();
    expect(await remote.find('sample', { key: 'k-1', text: '', since }, signal)).toMatchObject({ state: 'working' });
    expect(await remote.find('sample', { key: 'k-2', text: '', since }, signal)).toBeUndefined();
  });

  test('cancels a run; one that has ended it cannot', async () => {
    const remote = remoteWith();
    agent.work = (work) => work.cancelled;
    const state = await ask(remote);
    const run = { remoteId: state.remoteId ?? '' };
    expect(await remote.cancel('sample', run, signal)).toBe(true);
    expect(await lastState(remote, state)).toMatchObject({ state: 'failed', how: 'cancelled' });
    agent.work = (work) => work.answer('Done.');
    const done = await ask(remote, 'Again');
    await until('it has ended', async () => (await lastState(remote, done)).state === 'answered');
    expect(await remote.cancel('sample', { remoteId: done.remoteId ?? '' }, signal)).toBe(false);
  });

  test('that has forgotten a run has failed', async () => {
    const watched = remoteWith().watch('sample', { remoteId: 'unknown' }, signal);
    await expect(watched[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'remote_failed' });
  });
});

describe('credentials', () => {
  const authOf = (auth: RemoteAuth, variables = {}) => remoteWith({ auth }, variables);

  test('a variable is sent as a bearer token, or as a header of its own', async () => {
    agent.token = 'one';
    expect(await ask(authOf({ bearer: 'T' }, { T: 'one' }))).toMatchObject({ remoteId: expect.any(String) });
    const header = authOf({ header: 'Authorization', value: 'T' }, { T: 'Bearer one' });
    expect(await ask(header)).toMatchObject({ remoteId: expect.any(String) });
  });

  test('a wrong one is refused by name of the setting, after one request', async () => {
    agent.token = 'one';
    await expect(ask(authOf({ bearer: 'T' }, { T: 'two' }))).rejects.toMatchObject({
      code: 'remote_refused',
      message: expect.stringMatching(/401.*`auth`/),
    });
    expect(agent.messages).toHaveLength(0);
    await expect(ask(authOf({ bearer: 'T' }))).rejects.toMatchObject({
      message: expect.stringContaining('T is not set'),
    });
  });

  test('a file is read again, so a new token counts at once', async () => {
    const file = join(folder, 'token');
    const remote = authOf({ bearerFile: file });
    await writeFile(file, 'one\n');
    agent.token = 'one';
    await ask(remote);
    await writeFile(file, 'two\n');
    agent.token = 'two';
    expect(await ask(remote)).toMatchObject({ remoteId: expect.any(String) });
  });

  test('a token of a provider is fetched once, and again after a 401', async () => {
    const provider = await startTokenServer({ clientId: 'alfred', clientSecret: 's3cret' });
    try {
      const oauth = { tokenUrl: `${provider.url}/token`, clientId: 'alfred', clientSecret: 'S', scope: 'ask' };
      const remote = authOf({ oauth }, { S: 's3cret' });
      agent.token = provider.next();
      await Promise.all([ask(remote), remote.start('sample', { key: 'k-2', text: 'Hi' }, signal)]);
      expect(provider.grants).toEqual([{ scope: 'ask' }]);
      agent.token = provider.next();
      await ask(remote);
      expect(provider.grants).toHaveLength(2);
      await expect(ask(authOf({ oauth }, { S: 'wrong' }))).rejects.toMatchObject({ code: 'remote_refused' });
    } finally {
      await provider.close();
    }
  });
});
