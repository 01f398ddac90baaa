import { setTimeout as sleep } from 'node:timers/promises';
import { questionOf } from './document-library.ts';
import { run } from './measure.ts';

// The people of `npm run bench -- --conversation` and `--conversations`, in a process of their own so that its CPU time is
// not the stack's.

export type TalkRound = {
  url: string;
  /** Conversations; a new one where there is no id. */
  ids: (string | null)[];
  /** How many people talk at once. */
  lanes: number;
  /** The messages that are said in each, the next one when the last is answered. */
  from: number;
  to: number;
  /** Told whenever so many answers have come. */
  markEvery?: number;
};
export type TalkEvent =
  | { type: 'mark'; answered: number }
  | {
      type: 'talked';
      ids: string[];
      /** From `POST` to the completed task. */
      ms: number[];
      seconds: number;
      /** Messages that were sent again, after a 503. */
      repeated: number;
      /** Tasks that ended in another way. */
      failed: string[];
    };

const tell = (event: TalkEvent) => process.send?.(event);

const headers = { 'content-type': 'application/json' };
const post = (url: string, body: object) => fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });

process.on('message', ({ url, ids, lanes, from, to, markEvery = Infinity }: TalkRound) => {
  const ms: number[] = [];
  const failed: string[] = [];
  let repeated = 0;

  const begin = async () => {
    const created = await post(`${url}/v1/conversations`, {});
    if (created.status !== 201) throw new Error(`beginning: ${created.status} ${await created.text()}`);
    return ((await created.json()) as { id: string }).id;
  };

  const talk = async (id: string) => {
    for (let n = from; n <= to; n++) {
      const begun = performance.now();
      const taskId = await say(id, n);
      if ((await endOf(taskId)) !== 'completed') failed.push(taskId);
      ms.push(performance.now() - begun);
      if (ms.length % markEvery === 0) tell({ type: 'mark', answered: ms.length });
    }
    return id;
  };

  const say = async (id: string, n: number): Promise<string> => {
    while (true) {
      const said = await post(`${url}/v1/conversations/${id}/messages`, { id: `m-${n}`, text: questionOf(n) });
      if (said.status === 202) return ((await said.json()) as { taskId: string }).taskId;
      if (said.status !== 503) throw new Error(`saying something: ${said.status} ${await said.text()}`);
      repeated++;
      await sleep(1_000);
    }
  };

  /** A task can be read from its turn on. */
  const endOf = async (taskId: string): Promise<string> => {
    while (true) {
      const waited = await fetch(`${url}/v1/tasks/${taskId}`, { headers: { prefer: 'wait=60' } });
      const { status } = (await waited.json()) as { status: string | number };
      if (['completed', 'failed', 'cancelled'].includes(String(status))) return String(status);
      if (waited.status === 404) await sleep(10);
    }
  };

  void run(ids.length, lanes, async (i) => talk(ids[i] ?? (await begin()))).then(({ results, seconds }) =>
    tell({ type: 'talked', ids: results, ms, seconds, repeated, failed }),
  );
});
