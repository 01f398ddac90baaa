import { isEnded } from '../../contract/task-status.ts';
import type { Citation, Task } from '../../contract/task.ts';
import type { InnerAnswer, InnerRequests } from '../http/inner-requests.ts';

/** One read of the task waits so long for its end, in seconds. Then the client gets a sign of life. */
const sliceS = 5;

type Ask = { agent: string; text: string; idempotencyKey?: string | undefined; waitS: number };
type Options = { signal: AbortSignal; progress: (message: string) => Promise<void> };

/** Asks an agent, and waits for the answer, at the most `waitS` seconds. @returns the task as it stands then */
export async function ask(
  call: InnerRequests['call'],
  { agent, text, idempotencyKey, waitS }: Ask,
  { signal, progress }: Options,
): Promise<InnerAnswer> {
  let answer = await call({
    method: 'POST',
    url: '/v1/tasks',
    body: { agent, input: { text } },
    ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
  });
  const endsAt = performance.now() + waitS * 1_000;
  while (answer.ok && isUnderWay(taskOf(answer)) && !signal.aborted) {
    const leftS = Math.ceil((endsAt - performance.now()) / 1_000);
    if (leftS <= 0) break;
    const { id, status } = taskOf(answer);
    await progress(`The task ${id} is ${status}.`);
    const next = await call({
      method: 'GET',
      url: `/v1/tasks/${id}`,
      headers: { prefer: `wait=${Math.min(sliceS, leftS)}` },
    });
    // The task is on its way: what keeps it from being read now is no failure of the task.
    if (!next.ok) break;
    answer = next;
  }
  return answer;
}

/** A body of the route, which has been checked against the schema of a task on its way out. */
export const taskOf = ({ body }: InnerAnswer): Task => body as unknown as Task;

/** A task that waits for a person goes on only when that person acts. */
const isUnderWay = ({ status }: Task) => !isEnded(status) && status !== 'waiting';

/** A task for the model of a client: the answer with its sources, or what has become of it. */
export function describeTask({ id, status, result, error, waiting }: Task): string {
  if (result) {
    const sources = result.citations.map(describeSource);
    return sources.length === 0 ? result.text : `${result.text}\n\nSources:\n${sources.join('\n')}`;
  }
  if (error) return `The task ${id} has failed (${error.code}): ${error.message}`;
  if (isEnded(status)) return `The task ${id} is ${status}.`;
  const reason = waiting ? ` ${waiting.message}` : '';
  return `The task ${id} is ${status} and goes on.${reason} Read it later with get_task.`;
}

const describeSource = ({ n, document, headingPath, page, quote }: Citation): string => {
  const place = [document, ...headingPath, ...(page === null ? [] : [`page ${page}`])].join(' › ');
  return `[${n}] ${place}: “${quote}”`;
};
