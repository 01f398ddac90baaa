import { afterAll, expect, test } from '@jest/globals';
import type { TaskEvent } from '../../contract/events.ts';
import type { Ingestion } from '../../contract/documents.ts';
import type { Task } from '../../contract/task.ts';
import { dataFolders, json, killLocal, startLocal, stopLocal } from './local-stack.ts';
import { until } from '../support/until.ts';

const folders = dataFolders();
afterAll(() => folders.removeAll());

// At this speed an answer takes some seconds, so that the stack can be killed in the middle of it.
const env = { ALFRED_OFFLINE_TOKENS_PER_S: '40', ALFRED_API_PORT: '', ALFRED_MODEL: 'offline:quote' };
const text =
  '# Expenses\n\n## Deadlines\n\nFile an expense report within 30 days of the expense. Late reports need the approval of a director.\n';

test('kill -9 of the whole stack in the middle of an answer loses nothing', async () => {
  const dir = await folders.make();
  const first = startLocal(dir, { env });
  await first.waitForOutput('/docs');
  const api = first.run().apiUrl;

  const added = await json<Ingestion>(`${api}/v1/documents`, { name: 'expenses.md', text });
  await until(
    'the document is read',
    async () => (await json<Ingestion>(`${api}/v1/ingestions/${added.id}`)).status === 'completed',
    { withinMs: 60_000 },
  );
  const { id } = await json<Task>(`${api}/v1/tasks`, {
    input: { text: 'How many days do I have to file an expense report?' },
  });
  await until(
    'three pieces of the answer are there',
    async () => (await events(api, id)).filter(({ type }) => type === 'text.delta').length >= 3,
    { withinMs: 60_000 },
  );
  const before = await events(api, id);

  await killLocal(first);

  const second = startLocal(dir, { env });
  await second.waitForOutput('/docs');
  const startedAt = performance.now();
  const again = second.run().apiUrl;
  const task = await json<Task>(`${again}/v1/tasks/${id}`, undefined, { prefer: 'wait=60' });
  console.log(
    `killed stack: the task in flight was done ${Math.round(performance.now() - startedAt)} ms after the second start was ready`,
  );
  expect(task).toMatchObject({
    status: 'completed',
    result: { citations: [{ n: 1, document: 'expenses.md', headingPath: ['Expenses', 'Deadlines'] }] },
  });
  const [citation] = task.result?.citations ?? [];
  expect(text).toContain(citation?.quote);

  const after = await events(again, id);
  // The pieces of a step share the time of the last one after its end.
  const withoutTime = (all: TaskEvent[]) =>
    all.map((event) => (event.type === 'text.delta' ? { ...event, at: '' } : event));
  expect(withoutTime(after.slice(0, before.length))).toEqual(withoutTime(before));
  expect(after.map(({ seq }) => seq)).toEqual(after.map((_, i) => i + 1));
  expect(after.filter(({ type }) => type === 'task.completed')).toHaveLength(1);
  // The text that was streamed in the last attempt is exactly the answer.
  const last = after.findLast((event) => event.type === 'model.started');
  const streamed = after.flatMap((event) =>
    event.type === 'text.delta' && event.data.step === last?.data.step && event.data.attempt === last?.data.attempt
      ? [event.data.text]
      : [],
  );
  expect(last?.data.attempt).toBeGreaterThan(1);
  expect(streamed.join('')).toBe(task.result?.text);
  expect((await stopLocal(second)).code).toBe(0);
});

const events = async (api: string, id: string) =>
  (await json<{ events: TaskEvent[] }>(`${api}/v1/tasks/${id}/events`, undefined, { accept: 'application/json' }))
    .events;
