import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Role, TaskState, type Task as A2aTask } from '@a2a-js/sdk';
import { ClientFactory, JsonRpcTransportFactory, type Client } from '@a2a-js/sdk/client';
import { TaskNotCancelableError, TaskNotFoundError } from '@a2a-js/sdk/errors';
import { agentQueue } from '../../contract/ids.ts';
import { until } from '../support/until.ts';
import { createApiHarness, identifyBySubject, type ApiHarness } from './api-harness.ts';
import { AlfredError } from '../../contract/errors.ts';
import { blockedTurn } from './open-conversation.ts';

let api: ApiHarness;
let ann: Client;
beforeAll(async () => {
  api = await createApiHarness(
    {},
    {
      identify: (headers, ...rest) => {
        if (headers.authorization === undefined) throw new AlfredError('token_missing');
        const subject = headers.authorization.slice('Bearer '.length);
        return identifyBySubject({ ...headers, 'x-subject': subject }, ...rest);
      },
    },
    { queues: [agentQueue('alfred'), agentQueue('knowledge')] },
  );
  for (const name of ['delegate', 'set_plan', 'ask_person']) api.useBuiltInTool(name);
  ann = await clientOf('ann');
}, 60_000);
afterAll(() => api?.close());

/** A client of the official SDK that signs in as this person. */
function clientOf(subject: string): Promise<Client> {
  const fetchImpl: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${subject}`);
    return fetch(input, { ...init, headers });
  };
  return new ClientFactory({ transports: [new JsonRpcTransportFactory({ fetchImpl })] }).createFromUrl(api.url);
}

let sent = 0;
const messageOf = (
  text: string,
  more: { contextId?: string; taskId?: string; messageId?: string; agent?: string } = {},
) => ({
  tenant: '',
  message: {
    messageId: more.messageId ?? `m-${++sent}`,
    contextId: more.contextId ?? '',
    taskId: more.taskId ?? '',
    role: Role.ROLE_USER,
    parts: [
      { content: { $case: 'text' as const, value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' },
    ],
    metadata: more.agent === undefined ? undefined : { agent: more.agent },
    extensions: [],
    referenceTaskIds: [],
  },
  configuration: undefined,
  metadata: undefined,
});
const ask = async (client: Client, ...message: Parameters<typeof messageOf>) =>
  (await client.sendMessage(messageOf(...message))) as A2aTask;
const textOf = ({ artifacts }: A2aTask) =>
  artifacts
    .flatMap(({ parts }) => parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')))
    .join('');

describe('Alfred as an agent of A2A', () => {
  test('answers a message with a task, whose context is a conversation', async () => {
    const requests = api.script([{ text: ['Hello Ann.'] }, { text: ['You said hello.'] }]);
    const first = await ask(ann, 'Hello');
    expect(first).toMatchObject({ status: { state: TaskState.TASK_STATE_COMPLETED } });
    expect(textOf(first)).toBe('Hello Ann.');
    const second = await ask(ann, 'What did I say?', { contextId: first.contextId });
    expect(second.contextId).toBe(first.contextId);
    expect(requests[1]?.messages).toHaveLength(3);
    const listed = await ann.listTasks({
      tenant: '',
      contextId: first.contextId,
      status: 0,
      pageToken: '',
      statusTimestampAfter: undefined,
    });
    expect(listed.tasks.map(({ id }) => id)).toEqual([second.id, first.id]);
  });

  test('a message that is sent twice is one task', async () => {
    api.script([{ text: ['Once.'] }]);
    const first = await ask(ann, 'Once?', { messageId: 'twice' });
    expect((await ask(ann, 'Once?', { messageId: 'twice' })).id).toBe(first.id);
  });

  test('a question is input-required, and its answer goes on in the context', async () => {
    api.script([
      { calls: [{ tool: 'ask_person', arguments: { question: 'Which city?' } }] },
      { text: ['Rain in Lisbon.'] },
    ]);
    const asked = await ask(ann, 'Will it rain?');
    expect(asked.status).toMatchObject({
      state: TaskState.TASK_STATE_INPUT_REQUIRED,
      message: { parts: [{ content: { value: 'Which city?' } }] },
    });
    const answer = await ask(ann, 'Lisbon', { taskId: asked.id, contextId: asked.contextId });
    expect(textOf(answer)).toBe('Rain in Lisbon.');
    expect(answer.contextId).toBe(asked.contextId);
  });

  test('streams pieces of the answer, then all of it and the state', async () => {
    api.script([{ text: ['One ', 'two.'] }]);
    const events = [];
    for await (const { payload } of ann.sendMessageStream(messageOf('Count'))) events.push(payload);
    expect(events[0]).toMatchObject({ $case: 'task' });
    const pieces = events.flatMap((event) => (event?.$case === 'artifactUpdate' ? [event.value] : []));
    expect(pieces.at(-1)).toMatchObject({
      append: false,
      lastChunk: true,
      artifact: { parts: [{ content: { value: 'One two.' } }] },
    });
    expect(events.at(-1)).toMatchObject({
      $case: 'statusUpdate',
      value: { status: { state: TaskState.TASK_STATE_COMPLETED } },
    });
  });

  test('a task is followed again after a broken stream, and cancelled', async () => {
    const { turn } = blockedTurn('never');
    api.script([turn]);
    const task = (await ann.sendMessage({
      ...messageOf('Work'),
      configuration: { returnImmediately: true, acceptedOutputModes: [], taskPushNotificationConfig: undefined },
    })) as A2aTask;
    await until(
      'it works',
      async () => (await ann.getTask({ tenant: '', id: task.id })).status?.state === TaskState.TASK_STATE_WORKING,
    );
    const followed = (async () => {
      const states = [];
      for await (const { payload } of ann.resubscribeTask({ tenant: '', id: task.id }))
        if (payload?.$case === 'statusUpdate') states.push(payload.value.status?.state);
      return states.at(-1);
    })();
    await ann.cancelTask({ tenant: '', id: task.id, metadata: undefined });
    expect(await followed).toBe(TaskState.TASK_STATE_CANCELED);
    await expect(ann.cancelTask({ tenant: '', id: task.id, metadata: undefined })).rejects.toThrow(
      TaskNotCancelableError,
    );
  });

  test('a caller that goes away leaves no stream behind', async () => {
    const { turn, release } = blockedTurn('Late.');
    api.script([turn]);
    const streams = async () => (await api.metrics.eventStreams.get()).values[0]?.value ?? 0;
    const caller = new AbortController();
    const response = await fetch(`${api.url}/a2a`, {
      method: 'POST',
      signal: caller.signal,
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0', authorization: 'Bearer ann' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'SendStreamingMessage',
        params: { message: { messageId: 'leaves', role: 'ROLE_USER', parts: [{ text: 'Work' }] } },
      }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    await until('it is followed', async () => (await streams()) > 0);
    caller.abort();
    await until('the stream is closed', async () => (await streams()) === 0);
    release();
  });

  test('an agent is chosen by name, and the extended card has those that there are', async () => {
    api.script([{ text: ['From the documents.'] }]);
    const task = await ask(ann, 'What is it?', { agent: 'knowledge' });
    expect(task.metadata).toMatchObject({ agent: 'knowledge' });
    const card = await ann.getAgentCard();
    expect(card.skills.map(({ id }) => id)).toEqual(expect.arrayContaining(['alfred', 'assistant', 'knowledge']));
    await expect(ask(ann, 'Hello', { agent: 'nobody' })).rejects.toThrow('There is no agent "nobody"');
  });
});

describe('the door of A2A', () => {
  test('says on the card where it is, and names no agent', async () => {
    const card = (await (await fetch(`${api.url}/.well-known/agent-card.json`)).json()) as Record<string, unknown>;
    expect(card).toMatchObject({ name: 'Alfred', supportedInterfaces: [{ url: `${api.url}/a2a` }] });
    expect(card).not.toHaveProperty('skills.0');
  });

  test('refuses who does not sign in, with the status of HTTP', async () => {
    const response = await fetch(`${api.url}/a2a`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'x' } }),
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'token_missing' });
  });

  test('refuses two Authorization headers, of which only the first would be read', async () => {
    const request = httpRequest(`${api.url}/a2a`, {
      method: 'POST',
      headers: ['content-type', 'application/json', 'a2a-version', '1.0', 'host', new URL(api.url).host].concat(
        ['authorization', 'Bearer ann'],
        ['authorization', 'Bearer ben'],
      ),
    });
    request.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'x' } }));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(401);
    expect(await json(response)).toMatchObject({ code: 'token_invalid' });
  });

  test('answers a fault on our side without its words', async () => {
    const inject = jest.spyOn(api.app, 'inject').mockImplementation(() => {
      throw new Error('no descriptor for Jane is left');
    });
    const response = await fetch(`${api.url}/a2a`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'a2a-version': '1.0', authorization: 'Bearer ann' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'x' } }),
    });
    inject.mockRestore();
    const { error } = (await response.json()) as { error: object };
    expect(error).toMatchObject({ code: -32603, message: expect.stringContaining('the log has the details') });
  });

  test('shows nobody the task of another person', async () => {
    api.script([{ text: ['Secret.'] }]);
    const task = await ask(ann, 'Mine');
    const ben = await clientOf('ben');
    await expect(ben.getTask({ tenant: '', id: task.id })).rejects.toThrow(TaskNotFoundError);
    await expect(ask(ben, 'Hello', { contextId: task.contextId })).rejects.toThrow(TaskNotFoundError);
  });

  test.each([
    [
      'another version',
      { 'a2a-version': '0.3' },
      { jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'x' } },
      -32009,
    ],
    ['an unknown method', { 'a2a-version': '1.0' }, { jsonrpc: '2.0', id: 1, method: 'Dance', params: {} }, -32601],
    ['no JSON-RPC', { 'a2a-version': '1.0' }, { hello: 1 }, -32602],
  ])('refuses %s with an error of JSON-RPC', async (_, headers, body, code) => {
    const response = await fetch(`${api.url}/a2a`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer ann', ...headers } as Record<
        string,
        string
      >,
      body: JSON.stringify(body),
    });
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code } });
  });
});
