import { expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createTaskActivities, type TaskDeps } from '../../activities/tasks.ts';
import type { Agent } from '../../agents/index.ts';
import type { Message } from '../../contract/ports/index.ts';
import type { TaskResult } from '../../contract/task.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { passage } from '../support/documents/passage.ts';

const task = { taskId: 't', tenant: 'local', subject: 'local', agent: 'knowledge' };
const found = (id: string, text: string) => ({ passages: [passage(id, text)] });
const answer = (text: string): Message => ({ role: 'assistant', parts: [{ type: 'text', text }] });
const question: Message = { role: 'user', text: 'How long?' };
const root: Message = {
  role: 'compaction',
  from: 'before',
  passages: { a: 1, b: 2 },
  shownBy: { first: [1], second: [2] },
};

/** What a task concludes whose chain is `shown`, and what is read for it. `all`: also what a summary has replaced. */
async function conclude(shown: Message[], all: Message[] = []) {
  const read: string[] = [];
  let stored: TaskResult | undefined;
  const deps = {
    ledger: { listOpenCalls: async () => [], findCutAnswer: async () => undefined },
    messageStore: {
      load: async () => ({ messages: shown, stored: [] }),
      loadAll: async () => {
        read.push('all');
        return all;
      },
      loadResults: async (_: unknown, hashes: string[]) => {
        read.push(...hashes);
        return [found('a', 'You have 30 days to file a report.')];
      },
    },
    tasks: {
      storeResult: async (_: unknown, __: unknown, result: TaskResult) => {
        stored = result;
        return 'h';
      },
    },
    agents: { knowledge: { tools: ['search_documents'] } as unknown as Agent },
    metrics: createMetrics(),
  } as unknown as TaskDeps;
  await new MockActivityEnvironment().run(() => createTaskActivities(deps).conclude({ task, head: 'h' }));
  return { read, text: stored?.text, cited: stored?.citations.map(({ n, quote }) => [n, quote]) };
}

test('of what a summary has replaced, only the result that the partial answer cites is read', async () => {
  expect(await conclude([root, question, answer('You have 30 days [1].')])).toEqual({
    read: ['first'],
    text: 'You have 30 days [1].',
    cited: [[1, 'You have 30 days to file a report.']],
  });
});

test('a last text that a summary has replaced is found', async () => {
  const { read, text } = await conclude([root, question], [question, answer('So far nothing.')]);
  expect({ read, text }).toEqual({ read: ['all'], text: 'So far nothing.' });
});

test('a task without any text says so', async () => {
  expect(await conclude([question])).toMatchObject({ read: [], text: 'The budget ended before there was an answer.' });
});
