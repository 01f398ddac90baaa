import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { TaskState, type Task as A2aTask } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { TaskNotCancelableError, TaskNotFoundError } from '@a2a-js/sdk/errors';
import { until } from '../support/until.ts';
import { ask, createA2aHarness, messageOf, textOf, type A2aHarness } from './a2a-harness.ts';
import { blockedTurn } from './open-conversation.ts';

let api: A2aHarness;
let ann: Client;
beforeAll(async () => {
  api = await createA2aHarness({ ALFRED_COUNTRY_HEADER: 'X-Country', ALFRED_LIMIT_STREAMS: '3' });
  ann = await api.clientOf('ann');
}, 60_000);
afterAll(() => api?.close());

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
    const ben = await api.clientOf('ben');
    await expect(ben.getTask({ tenant: '', id: task.id })).rejects.toThrow(TaskNotFoundError);
    await expect(ask(ben, 'Hello', { contextId: task.contextId })).rejects.toThrow(TaskNotFoundError);
  });

  test('an id that a path would lose leads to no other address', async () => {
    for (const id of ['.', '..', '']) {
      await expect(ann.getTask({ tenant: '', id })).rejects.toThrow(TaskNotFoundError);
      await expect(ann.cancelTask({ tenant: '', id, metadata: undefined })).rejects.toThrow(TaskNotFoundError);
    }
    await expect(ask(ann, 'Hello', { contextId: '..' })).rejects.toThrow(TaskNotFoundError);
  });

  test('what a message asks for is audited with the id of its request and the country of its sender', async () => {
    api.script([{ text: ['Hello.'] }]);
    const message = { messageId: 'audited', role: 'ROLE_USER', parts: [{ text: 'Hello' }] };
    await api.post({ method: 'SendMessage', params: { message } }, { 'x-request-id': 'a2a-1', 'x-country': 'is' });
    const { rows } = await api.postgres.pool.query(
      "select action, country from audit_entries where request_id = 'a2a-1' and action <> 'sign_in' order by action",
    );
    expect(rows).toEqual([
      { action: 'conversation.create', country: 'IS' },
      { action: 'message.send', country: 'IS' },
    ]);
  });

  test('a message that is waited for takes the place of an event stream, and one more is refused before it is sent', async () => {
    const { turn, release } = blockedTurn('Late.');
    api.script(Array(3).fill(turn));
    const as = { authorization: 'Bearer eve' };
    const sendAs = (messageId: string, returnImmediately = false) =>
      api.post(
        {
          method: 'SendMessage',
          params: {
            message: { messageId, role: 'ROLE_USER', parts: [{ text: 'Work' }] },
            configuration: { returnImmediately },
          },
        },
        as,
      );
    const waiting = [sendAs('one'), sendAs('two'), sendAs('three')];
    const tasks = async () =>
      (await api.postgres.pool.query("select count(*)::int as n from tasks where subject = 'eve'")).rows[0].n;
    await until('three are waited for', async () => (await tasks()) === 3);
    const refused = await sendAs('four');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await refused.json()).toMatchObject({ code: 'too_many_streams' });
    expect(await tasks()).toBe(3);
    release();
    for (const answer of waiting) expect((await answer).status).toBe(200);
    api.script([{ text: ['Hello.'] }]);
    expect((await sendAs('four')).status).toBe(200);
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
