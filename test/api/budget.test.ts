import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { untilAborted } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

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
    const id = await ask({ maxCostUsd: 12 });
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
    const { result, usage } = await api.taskReaches(id, 'completed');
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
    const done = await api.taskReaches(id, 'completed');
    expect(done.result).toMatchObject({ text: 'Let me look.', incomplete: 'budget' });
  });

  test('a task with waitS 0 ends at once with a partial result', async () => {
    twoSteps();
    const id = await ask({ maxModelCalls: 1, waitS: 0 });
    expect((await api.taskReaches(id, 'completed')).result).toMatchObject({ incomplete: 'budget' });
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

  test('waiting does not count towards maxDurationS', async () => {
    api.script((_, call) => (call === 1 ? { text: ['…'], until: untilAborted } : { text: ['Done.'] }));
    const id = await ask({ maxDurationS: 1 });
    expect((await api.taskReaches(id, 'waiting')).waiting).toMatchObject({ limit: 'maxDurationS', max: 1 });
    await grant(id, { maxDurationS: 60 });
    expect((await api.taskReaches(id, 'completed')).result.text).toBe('Done.');
  });
});
