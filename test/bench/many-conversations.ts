import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../cli/eval/measures.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { addLibrary } from './document-library.ts';
import { cpuSeconds, heapBytes, megabytes, residentBytes } from './measure.ts';
import type { Stops } from './servers.ts';
import { startStack } from './stack.ts';
import { startTalkers, type Talked } from './conversation-load-process.ts';

/** Thousands of conversations: whether every message is answered, what the last ones cost, and what is left of them when they rest. */
export async function manyConversations({
  count,
  lanes,
  dir,
  log,
  stops,
}: {
  count: number;
  /** How many talk at once. */
  lanes: number;
  dir: string;
  log: Logger;
  stops: Stops;
}) {
  const { url, edge, pids } = await startStack({ dir, log, stops }, { ALFRED_MODEL: 'offline:quote' });
  const talkers = startTalkers(stops);
  await addLibrary(url, edge);

  let last = { answered: 0, at: performance.now(), cpuS: await cpuSeconds(pids) };
  const mark = async (answered: number) => {
    const now = { answered, at: performance.now(), cpuS: await cpuSeconds(pids) };
    const done = answered - last.answered;
    const share = Object.entries(now.cpuS).map(
      ([name, used]) => `${name} ${(((used - (last.cpuS[name] ?? 0)) * 1_000) / done).toFixed(1)}`,
    );
    const resident = Object.entries(await residentBytes(pids)).map(([name, bytes]) => `${name} ${megabytes(bytes)}`);
    const perSecond = ((done * 1_000) / (now.at - last.at)).toFixed(1);
    console.log(
      `  ${answered} answered: ${perSecond}/s, CPU each ${share.join(', ')} ms; resident ${resident.join(', ')}, heap ${megabytes(heapBytes())} MB`,
    );
    last = now;
  };

  console.log(`\n${count} conversations, ${lanes} at once`);
  const fresh = Array.from({ length: count }, () => null);
  const first = await talkers.talk({ url, ids: fresh, lanes, from: 1, to: 1, markEvery: Math.ceil(count / 20) }, mark);
  row('first message', first);
  const open = await openConversations(edge);

  const tenth = first.ids.filter((_, i) => i % 10 === 0);
  last = { answered: 0, at: performance.now(), cpuS: await cpuSeconds(pids) };
  const second = await talkers.talk({ url, ids: tenth, lanes, from: 2, to: 2 }, mark);
  await mark(tenth.length);
  row('second message', second);

  console.log(
    `  open workflows of conversations: ${open} after the first, ${await openConversations(edge)} in the end`,
  );
  const { rows } = await edge.postgres.pool.query(
    `select (select count(*) from conversations) as conversations, count(*) as messages,
       count(*) filter (where m.state = 'done' and t.status = 'completed') as answered
     from conversation_messages m left join tasks t on t.id = m.task_id`,
  );
  console.log(`  rows: ${JSON.stringify(rows[0])}`);
}

/** Conversations whose workflow runs: none, once what Temporal lists has caught up. */
async function openConversations({ client }: Edge): Promise<number> {
  for (const end = Date.now() + 30_000; ;) {
    const { count } = await client.workflow.count(
      `WorkflowType = 'conversationWorkflow' AND ExecutionStatus = 'Running'`,
    );
    if (count === 0 || Date.now() > end) return count;
    await sleep(500);
  }
}

function row(name: string, { ids, seconds, ms, repeated, failed }: Talked) {
  console.log(
    `  ${name}: ${(ids.length / seconds).toFixed(1)} conversations a second, POST to completed task p50 ${percentile(ms, 0.5).toFixed(0)} ms, p95 ${percentile(ms, 0.95).toFixed(0)} ms; ${repeated} sent again after a 503, ${failed.length} not completed`,
  );
}
