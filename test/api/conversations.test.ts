import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApiHarness, type ApiHarness } from './api-server.ts';
import { heard, script, talkTo } from './talk.ts';

let api: ApiHarness;
beforeAll(async () => void (api = await createApiHarness()));
afterAll(() => api?.close());

describe('a conversation', () => {
  test('carries its context from task to task', async () => {
    const requests = api.script([{ text: ['Hello Ada.'] }, { text: ['Your name is Ada.'] }]);
    const talk = await talkTo(api);
    const first = await talk.say('I am Ada.');
    expect(first).toMatchObject({
      status: 202,
      body: { position: 1, outcome: 'started', runningTaskId: null, conversationId: talk.id },
    });
    await talk.quiet();
    await talk.say('Who am I?');
    expect(script(await talk.quiet())).toEqual(['I am Ada.', '> Hello Ada.', 'Who am I?', '> Your name is Ada.']);
    expect(requests.map(heard)).toEqual([['I am Ada.'], ['I am Ada.', ['> Hello Ada.'], 'Who am I?']]);
    const { body: task } = await api.http.get(`/v1/tasks/${first.body.taskId}`);
    expect(task).toMatchObject({ status: 'completed', conversationId: talk.id, result: { text: 'Hello Ada.' } });
    expect((await talk.row()).title).toBe('I am Ada.');
  });
});
