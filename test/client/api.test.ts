import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAlfred, verifyWebhook, type Alfred, type TaskEvent } from '../../client/src/index.ts';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createApiHarness, startApi, type ApiHarness } from '../api/api-harness.ts';
import { blockedTurn } from '../api/open-conversation.ts';
import { createWebhookReceiver, type WebhookReceiver } from '../support/fakes/webhook-receiver.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { packClient, readmeBlocks } from './pack-client.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

let api: ApiHarness;
let documents: RunningWorkers;
let receiver: WebhookReceiver;
let alfred: Alfred;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
  api = await createApiHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1' });
  documents = await startWorkers(api, api, [documentsQueue]);
  alfred = createAlfred({ url: api.url });
});
afterAll(async () => {
  await documents?.stop();
  await api?.close();
  await receiver?.down();
});

const question = { input: { text: 'What?' } };
const create = async () => (await alfred.request('POST /v1/tasks', { body: question })).id;
const storedEvents = (id: string) => api.events.read(api.scope, id, 0, 1_000);
/** After a step its pieces of text share one time. */
const withoutTime = <E extends { at: string }>({ at: _, ...event }: E) => event;
const textOf = (events: TaskEvent[]) =>
  events.map((event) => (event.type === 'text.delta' ? event.data.text : '')).join('');
const openStreams = async () => (await api.metrics.eventStreams.get()).values[0]?.value ?? 0;
const all = async (events: AsyncIterable<TaskEvent>, seen: TaskEvent[] = []) => {
  for await (const event of events) seen.push(event);
  return seen;
};

describe('ask', () => {
  test('returns the ended task; a question whose answer was lost is asked once', async () => {
    api.script([{ text: ['Thirty ', 'days.'] }]);
    let sent = 0;
    const lossy: typeof fetch = async (...args) => {
      const response = await fetch(...args);
      if (++sent === 1) throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
      return response;
    };
    const tasks: string[] = [];
    const task = await createAlfred({ url: api.url, fetch: lossy }).ask('How many days?', {
      onTask: ({ id }) => tasks.push(id),
    });
    expect(task).toMatchObject({
      status: 'completed',
      result: { text: 'Thirty days.' },
      input: { text: 'How many days?' },
    });
    const listed: string[] = [];
    for await (const { id } of alfred.list('GET /v1/tasks', { query: { limit: 1 } })) listed.push(id);
    expect([tasks, listed]).toEqual([[task.id], [task.id]]);
  });

  test('throws what the task failed with, and the reason of a signal while the task goes on', async () => {
    api.script([]);
    await expect(alfred.ask('What?')).rejects.toMatchObject({
      code: 'model_rejected',
      message: expect.stringContaining('The script has no turn'),
      task: { status: 'failed' },
    });
    const { turn, release } = blockedTurn('At last.');
    api.script([turn]);
    const options = { idempotencyKey: 'patient-1', signal: AbortSignal.timeout(300) };
    await expect(alfred.ask('When?', options)).rejects.toMatchObject({ name: 'TimeoutError' });
    release();
    expect(await alfred.ask('When?', { idempotencyKey: 'patient-1' })).toMatchObject({ result: { text: 'At last.' } });
  });
});

describe('followTask', () => {
  test('goes on over a broken connection and a restart of the API, and has every event once', async () => {
    const { turn, release } = blockedTurn('a'.repeat(100_000));
    api.script([{ ...turn, rest: ['ü😀'] }]);
    const old = await startApi(api);
    const proxy = await createTcpProxy(old.url.replace('http://', ''));
    const url = `http://${proxy.address}`;
    let current = url;
    const moving: typeof fetch = (input, init) => fetch((input as string).replace(url, current), init);
    let waits = 0;
    const remote = createAlfred({ url, fetch: moving, onWait: () => waits++ });
    const { id } = await remote.request('POST /v1/tasks', { body: question });
    const seen: TaskEvent[] = [];
    const done = all(remote.followTask(id), seen);
    await until('there is text', () => seen.some(({ type }) => type === 'text.delta'));
    proxy.cut();
    await until('the client waits', () => waits > 0);
    await until('the stream is closed', async () => (await openStreams()) === 0);
    proxy.plug();
    await until('the stream is open again', async () => (await openStreams()) === 1);
    // A deploy: the old process drains and goes, a new one answers.
    current = api.url;
    await old.app.close();
    release();
    await done;
    await proxy.close();
    expect(seen.map(withoutTime)).toEqual((await storedEvents(id)).map(withoutTime));
    expect(seen.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: textOf(seen) } } });
    expect(textOf(seen)).toBe(`${'a'.repeat(100_000)}ü😀`);
  });

  test('of a task that has ended yields what is left, and nothing after the last event', async () => {
    api.script([{ text: ['One ', 'two.'] }]);
    const id = await create();
    const whole = await all(alfred.followTask(id));
    expect(whole.map(withoutTime)).toEqual((await storedEvents(id)).map(withoutTime));
    const last = whole.at(-1)?.seq ?? 0;
    expect(await all(alfred.followTask(id, { after: last - 1 }))).toEqual(whole.slice(-1));
    expect(await all(alfred.followTask(id, { after: last }))).toEqual([]);
    await expect(all(alfred.followTask(crypto.randomUUID()))).rejects.toMatchObject({ code: 'not_found', status: 404 });
  });
});

/** What the server sends to a callback. */
async function sentWebhook() {
  receiver.received.length = 0;
  api.script([{ text: ['Done.'] }]);
  const { id } = await alfred.ask({ ...question, callback: { url: `${receiver.url}/alfred`, secret } });
  return { id, ...(await until('the webhook is sent', () => receiver.received[0])) };
}

test('a webhook of the server is verified', async () => {
  const { id, headers, body } = await sentWebhook();
  const { links: _, ...task } = await alfred.request('GET /v1/tasks/{id}', { path: { id } });
  expect(await verifyWebhook({ headers, body }, { secret })).toEqual({
    id: `${id}.1`,
    type: 'task.completed',
    timestamp: task.endedAt,
    data: task,
  });
});

/** What the compiler must refuse. */
const refusals = `
import { createAlfred } from '@alfred/client';
const alfred = createAlfred({ url: 'http://127.0.0.1' });
// @ts-expect-error no such route
void alfred.request('GET /v1/nothing');
// @ts-expect-error no path
void alfred.request('GET /v1/tasks/{id}');
// @ts-expect-error no field of that name
void alfred.request('POST /v1/tasks', { body: { inputs: {} } });
// @ts-expect-error not a list
void alfred.list('GET /v1/agents');
`;

/** Sends a webhook to the handlers of the README, as it is and changed. */
const deliver = (handler: number, app: number) => `
import { POST } from './readme-${handler}.js';
import { app } from './readme-${app}.js';
const { headers, body } = JSON.parse(process.env.SIGNED);
const statuses = [];
for (const text of [body, body + ' ']) {
  statuses.push((await POST(new Request('http://127.0.0.1/', { method: 'POST', headers, body: text }))).status);
  statuses.push((await app.inject({ method: 'POST', url: '/alfred', headers, body: text })).statusCode);
}
console.log(statuses.join(' '));
`;

test('an installed package compiles in node16 and bundler projects, and the README’s programs run', async () => {
  const blocks = await readmeBlocks('ts');
  const [express = ''] = await readmeBlocks('js');
  const { project, files, compile, run, remove } = await packClient();
  const write = (name: string, text: string) => writeFile(join(project, name), text);
  try {
    expect(files.filter((path) => !path.startsWith('dist/'))).toEqual(['LICENSE', 'README.md', 'package.json']);
    for (const [i, block] of blocks.entries()) await write(`readme-${i}.ts`, block);
    await write('refusals.ts', refusals);
    await write('express.js', express);
    const node16 = { module: 'node16', types: ['node'], lib: ['es2023'], skipLibCheck: true };
    await compile(node16, ['readme-*.ts']);
    const browser = { module: 'esnext', moduleResolution: 'bundler', types: [], lib: ['es2022', 'dom'] };
    await compile({ ...browser, noEmit: true, allowJs: true }, ['refusals.ts', 'express.js']);

    const { headers, body } = await sentWebhook();
    const signed = Object.entries(headers).filter(([name]) => /^(webhook-|content-type)/.test(name));
    const indexOf = (part: string) => blocks.findIndex((block) => block.includes(part));
    await write('deliver.js', deliver(indexOf('function POST'), indexOf('fastify()')));
    api.script(() => ({ text: ['An answer.'] }));
    const env = {
      ALFRED_URL: api.url,
      ALFRED_WEBHOOK_SECRET: secret,
      SIGNED: JSON.stringify({ headers: Object.fromEntries(signed), body }),
    };
    expect(await Promise.all(blocks.map((_, i) => run(`readme-${i}.js`, env)))).toEqual([
      'An answer.\n',
      'An answer.\n',
      // The task has made no file.
      '',
      expect.stringMatching(/'knowledge'[^]* true\n$/),
      'completed An answer.\ncompleted An answer.\n',
      '',
      'all []\n',
      'true\n',
      '',
      '',
      'function function\n',
      '',
      'unknown_agent 422 false true\n',
    ]);
    expect(await run('deliver.js', env)).toMatch(/204 204 401 401\n$/);
  } finally {
    await remove();
  }
}, 300_000);
