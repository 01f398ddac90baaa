import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { until, untilAborted } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { blockedTurn, openConversation, outlineOf } from './open-conversation.ts';

// An input token costs $0.001, an output token $0.01. A scripted turn uses 10 and 5 of them: $0.06.
const models = { 'scripted:test': { input: 1_000, output: 10_000, maxOutputTokens: 2_000 } };

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_MODELS: JSON.stringify(models) });
});
afterAll(() => api?.close());

const twoSteps = () => {
  api.tool('search_documents', async (input) => ({ output: { input }, summary: 'looked' }));
  return api.script([
    { text: ['Let me look.'], calls: [{ tool: 'search_documents', arguments: { at: 1 } }] },
    { text: ['Found it.'] },
  ]);
};
const ask = async (budget: object) =>
  (await api.http.post('/v1/tasks', { input: { text: 'What?' }, budget })).body.id as string;
const grant = (id: string, body: object) => api.http.post(`/v1/tasks/${id}/budget`, body);
const eventsOf = async (id: string) =>
  (await api.events.read(api.scope, id, 0, 500)).map(({ type, data }) => ({ type, data }));

describe('POST /v1/tasks/{id}/budget', () => {
  test('a task at its limit waits, names the limit, and continues when it is raised', async () => {
    const requests = twoSteps();
    const id = await ask({ maxModelCalls: 1 });
    const waiting = await api.taskReaches(id, 'waiting');
    expect(waiting.waiting).toMatchObject({
      reason: 'budget',
      scope: 'task',
      limit: 'maxModelCalls',
      max: 1,
      charged: 1,
      needed: 1,
    });
    expect(requests).toHaveLength(1);

    const granted = await grant(id, { maxModelCalls: 2 });
    expect(granted).toMatchObject({ status: 200, body: { budget: { maxModelCalls: 2 } } });
    const completed = await api.taskReaches(id, 'completed');
    expect(completed).toMatchObject({ waiting: null, result: { text: 'Found it.' }, usage: { modelCalls: 2 } });
    const types = (await eventsOf(id)).map(({ type }) => type);
    expect(types.filter((type) => /waiting|granted|resumed/.test(type))).toEqual([
      'task.waiting',
      'budget.granted',
      'task.resumed',
    ]);
  });

  test('a call whose worst case exceeds the remaining budget does not begin', async () => {
    const requests = twoSteps();
    // The worst case of a call is about $21.
    // The row rounds it: that is no grant.
    const id = await ask({ maxCostUsd: 12.000000000000002 });
    const { waiting, usage } = await api.taskReaches(id, 'waiting');
    expect(waiting).toMatchObject({ limit: 'maxCostUsd', max: 12 });
    expect(waiting.charged + waiting.needed).toBeGreaterThan(12);
    expect(usage.costUsd).toBeLessThanOrEqual(12);
    expect(requests.length).toBeLessThan(2);
    await grant(id, { maxCostUsd: 200 });
    await api.taskReaches(id, 'completed');
  });

  test('the output limit of a call is lowered when only that fits the budget', async () => {
    const requests = api.script([{ text: ['Short.'] }]);
    const id = await ask({ maxCostUsd: 18 });
    await api.taskReaches(id, 'completed');
    expect(requests[0]?.maxOutputTokens).toBeLessThan(2_000);
    expect(requests[0]?.maxOutputTokens).toBeGreaterThanOrEqual(1_024);
  });

  test('an answer that the budget cut is kept: the task ends with it, or a grant pays for a whole one', async () => {
    const cut = { text: ['The first half'], stopReason: 'max_tokens' as const };
    api.script([cut]);
    const id = await ask({ maxCostUsd: 18, waitS: 0 });
    const { result, usage } = await api.taskReaches(id, 'incomplete');
    expect(result).toMatchObject({ text: 'The first half', incomplete: 'budget' });
    expect(usage).toMatchObject({ modelCalls: 1, outputTokens: 5 });

    api.script([cut, { text: ['The whole answer.'] }]);
    const second = await ask({ maxCostUsd: 18 });
    await api.taskReaches(second, 'waiting');
    await grant(second, { maxCostUsd: 100 });
    const completed = await api.taskReaches(second, 'completed');
    expect(completed.result.text).toBe('The whole answer.');
    expect(completed.result.incomplete).toBeUndefined();
  });

  test('finish ends the task with a partial result', async () => {
    twoSteps();
    const id = await ask({ maxModelCalls: 1 });
    await api.taskReaches(id, 'waiting');
    expect((await grant(id, { finish: true })).status).toBe(200);
    const done = await api.taskReaches(id, 'incomplete');
    expect(done.result).toMatchObject({ text: 'Let me look.', incomplete: 'budget' });
    expect((await eventsOf(id)).at(-1)).toMatchObject({ type: 'task.incomplete', data: { result: done.result } });
    const listed = async (status: string) =>
      (await api.http.get(`/v1/tasks?status=${status}`)).body.tasks.map((task: { id: string }) => task.id);
    expect(await listed('incomplete')).toContain(id);
    expect(await listed('completed')).not.toContain(id);
    const metrics = await api.metrics.registry.metrics();
    expect(metrics).toContain('tasks_processed_total{agent="knowledge",status="incomplete"}');
  });

  test('a task with waitS 0 ends at once with a partial result', async () => {
    twoSteps();
    const id = await ask({ maxModelCalls: 1, waitS: 0 });
    expect((await api.taskReaches(id, 'incomplete')).result).toMatchObject({ incomplete: 'budget' });
  });

  test('a grant that does not help is refused with the reason, and changes nothing', async () => {
    twoSteps();
    const id = await ask({ maxModelCalls: 1, maxTokens: 1_000_000 });
    await api.taskReaches(id, 'waiting');
    const refusals: [object, string][] = [
      [{}, 'Name a limit'],
      [{ maxModelCalls: 1 }, 'is 1 already'],
      [{ maxCostUsd: 5 }, 'has no maxCostUsd'],
      [{ maxTokens: 2_000_000 }, 'What binds is maxModelCalls'],
      [{ maxModelCalls: 2, finish: true }, 'not both'],
    ];
    for (const [body, reason] of refusals) {
      const answer = await grant(id, body);
      expect(answer).toMatchObject({ status: 409, body: { code: 'budget_refused' } });
      expect(answer.body.detail).toContain(reason);
    }
    expect((await grant(id, { maxModelCalls: -1 })).status).toBe(422);
    expect((await api.taskReaches(id, 'waiting')).budget).toEqual({ maxModelCalls: 1, maxTokens: 1_000_000 });
    await api.http.post(`/v1/tasks/${id}/cancel`, {});
    await api.taskReaches(id, 'cancelled');
    expect(await grant(id, { maxModelCalls: 2 })).toMatchObject({ status: 409, body: { code: 'task_ended' } });
    expect((await grant('019ab7a0-0000-7000-8000-000000000000', { finish: true })).status).toBe(404);
  });

  test('two concurrent grants of the same limit count once', async () => {
    twoSteps();
    const id = await ask({ maxModelCalls: 1 });
    await api.taskReaches(id, 'waiting');
    const answers = await Promise.all([grant(id, { maxModelCalls: 3 }), grant(id, { maxModelCalls: 3 })]);
    expect(answers.map(({ status }) => status).sort()).toContain(200);
    await api.taskReaches(id, 'completed');
    expect((await eventsOf(id)).filter(({ type }) => type === 'budget.granted')).toHaveLength(1);
  });

  test('a grant counts that is accepted while the refused call is on its way back', async () => {
    twoSteps();
    const { ledger } = api;
    const begin = ledger.beginModelCall.bind(ledger);
    ledger.beginModelCall = async (task, call) => {
      try {
        return await begin(task, call);
      } catch (error) {
        if (!(error instanceof AlfredError) || error.code !== 'budget_exceeded') throw error;
        ledger.beginModelCall = begin;
        expect(await grant(task.taskId, { maxModelCalls: 2 })).toMatchObject({ status: 200 });
        throw error;
      }
    };
    const id = await ask({ maxModelCalls: 1 });
    expect((await api.taskReaches(id, 'completed')).result.text).toBe('Found it.');
    expect((await eventsOf(id)).filter(({ type }) => type === 'task.waiting')).toEqual([]);
  });

  test('time that is granted before the limit keeps the call under way', async () => {
    const first = blockedTurn('Slowly.');
    const requests = api.script([first.turn]);
    const id = await ask({ maxDurationS: 2 });
    expect(await grant(id, { maxDurationS: 600 })).toMatchObject({ status: 200, body: { status: 'running' } });
    await until('the first limit has passed, and a second timer runs', async () => {
      const { events = [] } = await api.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory();
      return events?.some(({ timerFiredEventAttributes }) => timerFiredEventAttributes);
    });
    first.release();
    expect((await api.taskReaches(id, 'completed')).result.text).toBe('Slowly.');
    expect(requests).toHaveLength(1);
  });

  test('a grant that is repeated succeeds and changes nothing', async () => {
    const second = blockedTurn('Found it.');
    api.tool('search_documents', async () => ({ output: {}, summary: 'looked' }));
    api.script([{ calls: [{ tool: 'search_documents', arguments: {} }] }, second.turn]);
    const id = await ask({ maxModelCalls: 1 });
    await api.taskReaches(id, 'waiting');
    for (const status of [200, 200, 200])
      expect(await grant(id, { maxModelCalls: 2 })).toMatchObject({ status, body: { budget: { maxModelCalls: 2 } } });
    second.release();
    await api.taskReaches(id, 'completed');
    expect((await eventsOf(id)).filter(({ type }) => type === 'budget.granted')).toHaveLength(1);
  });

  test('a message that is being read when the time is over is not lost', async () => {
    const first = blockedTurn('Let me look.');
    const calls = [{ tool: 'search_documents', arguments: {} }];
    api.tool('search_documents', async () => ({ output: {}, summary: 'looked' }));
    const requests = api.script((_, call) => (call === 1 ? { ...first.turn, calls } : { text: ['Both.'] }));
    const { turns } = api;
    const take = turns.takeSteering.bind(turns);
    turns.takeSteering = async (task, at) => {
      turns.takeSteering = take;
      const { events } = await api.client.workflow.getHandle(taskWorkflowId(task.taskId)).fetchHistory();
      const startedMs = Number(events?.[0]?.eventTime?.seconds) * 1_000;
      await until('the time of the task is over', () => Date.now() > startedMs + 7_000);
      return take(task, at);
    };
    const conversation = await openConversation(api, { budget: { maxDurationS: 5 } });
    await conversation.say('one');
    const id = await conversation.running();
    expect((await conversation.say('two', { onBusy: 'steer' })).body.outcome).toBe('steered');
    first.release();
    expect((await api.taskReaches(id, 'waiting')).waiting.limit).toBe('maxDurationS');
    await grant(id, { maxDurationS: 600 });
    await conversation.quiet();
    expect(outlineOf(requests[1] as (typeof requests)[number])).toContain('two');
  });

  test('waiting does not count towards maxDurationS', async () => {
    api.script((_, call) => (call === 1 ? { text: ['…'], until: untilAborted } : { text: ['Done.'] }));
    const id = await ask({ maxDurationS: 1 });
    expect((await api.taskReaches(id, 'waiting')).waiting).toMatchObject({ limit: 'maxDurationS', max: 1 });
    await grant(id, { maxDurationS: 60 });
    expect((await api.taskReaches(id, 'completed')).result.text).toBe('Done.');
  });
});
