import { runConcurrently } from './measure.ts';

// The clients of `npm run bench`, in a process of their own: their CPU time is not the stack's.
// node task-load.ts <api> <count> <concurrency>; prints one JSON line.
const [api = '', count = '1', concurrency = '1'] = process.argv.slice(2);

type Task = { id: string; status: string; createdAt: string; startedAt: string };

const { results, seconds } = await runConcurrently(Number(count), Number(concurrency), async () => {
  const sentAt = performance.timeOrigin + performance.now();
  const created = await fetch(`${api}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: { text: 'How many days do I have to file an expense report?' } }),
  });
  const { id } = (await created.json()) as Task;
  const acceptedMs = performance.timeOrigin + performance.now() - sentAt;
  const ended = (await (await fetch(`${api}/v1/tasks/${id}`, { headers: { prefer: 'wait=60' } })).json()) as Task;
  const doneMs = performance.timeOrigin + performance.now() - sentAt;
  return { id, status: ended.status, sentAt, acceptedMs, doneMs };
});
console.log(JSON.stringify({ results, seconds }));
