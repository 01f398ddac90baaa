import { setTimeout as sleep } from 'node:timers/promises';
import { questionOf } from './document-library.ts';
import { runConcurrently } from './measure.ts';

// The clients of `npm run bench -- --conversation` and `--conversations`, in a process of their own: their CPU time is
// not the stack's.

export type ConversationRound = {
  url: string;
  /** Conversations. Null creates a new one. */
  ids: (string | null)[];
  /** How many conversations run at once. */
  concurrency: number;
  /** The numbers of the messages that each conversation gets. A message is sent when the one before is answered. */
  from: number;
  to: number;
  /** A `mark` is reported after this many answers. */
  markEvery?: number;
};
export type LoadEvent =
  | { type: 'mark'; answered: number }
  | {
      type: 'done';
      ids: string[];
      /** From `POST` to the completed task. */
      ms: number[];
      seconds: number;
      /** Messages that were sent again after a 503. */
      repeated: number;
      /** Ids of tasks that are not completed. */
      failed: string[];
    };

const report = (event: LoadEvent) => process.send?.(event);

const headers = { 'content-type': 'application/json' };
const post = (url: string, body: object) => fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });

process.on('message', ({ url, ids, concurrency, from, to, markEvery = Infinity }: ConversationRound) => {
  const ms: number[] = [];
  const failed: string[] = [];
  let repeated = 0;

  const createConversation = async () => {
    const created = await post(`${url}/v1/conversations`, {});
    if (created.status !== 201) throw new Error(`creating a conversation: ${created.status} ${await created.text()}`);
    return ((await created.json()) as { id: string }).id;
  };

  const runConversation = async (id: string) => {
    for (let n = from; n <= to; n++) {
      const sentAtMs = performance.now();
      const taskId = await sendMessage(id, n);
      if ((await waitForEnd(taskId)) !== 'completed') failed.push(taskId);
      ms.push(performance.now() - sentAtMs);
      if (ms.length % markEvery === 0) report({ type: 'mark', answered: ms.length });
    }
    return id;
  };

  const sendMessage = async (id: string, n: number): Promise<string> => {
    while (true) {
      const response = await post(`${url}/v1/conversations/${id}/messages`, { id: `m-${n}`, text: questionOf(n) });
      if (response.status === 202) return ((await response.json()) as { taskId: string }).taskId;
      if (response.status !== 503) throw new Error(`sending a message: ${response.status} ${await response.text()}`);
      repeated++;
      await sleep(1_000);
    }
  };

  const waitForEnd = async (taskId: string): Promise<string> => {
    while (true) {
      const response = await fetch(`${url}/v1/tasks/${taskId}`, { headers: { prefer: 'wait=60' } });
      const { status } = (await response.json()) as { status: string | number };
      if (['completed', 'incomplete', 'failed', 'cancelled'].includes(String(status))) return String(status);
    }
  };

  void runConcurrently(ids.length, concurrency, async (i) =>
    runConversation(ids[i] ?? (await createConversation())),
  ).then(({ results, seconds }) => report({ type: 'done', ids: results, ms, seconds, repeated, failed }));
});
