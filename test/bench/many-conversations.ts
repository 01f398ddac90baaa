import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../cli/eval/measures.ts';
import type { Edge } from '../../runtime/edge.ts';
import { addDocumentLibrary } from './document-library.ts';
import { cpuSeconds, heapBytes, toMegabytes, residentBytes } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startStack } from './stack.ts';
import { startConversationLoad, type RoundResult } from './conversation-load-process.ts';

/**
 * Measures thousands of conversations: whether every message is answered, what the last ones cost, and whether their
 * workflows have ended afterwards.
 */
export async function measureManyConversations({
  count,
  concurrency,
  ...surroundings
}: {
  count: number;
  /** How many conversations run at once. */
  concurrency: number;
} & Surroundings) {
  const { url, edge, pids } = await startStack(surroundings, { ALFRED_MODEL: 'offline:quote' });
  const conversationLoad = startConversationLoad(surroundings.cleanups);
  await addDocumentLibrary(url, edge);

  let last = { answered: 0, at: performance.now(), cpuS: await cpuSeconds(pids) };
  /** Prints what the answers since the last call have cost. */
  const printProgress = async (answered: number) => {
    const now = { answered, at: performance.now(), cpuS: await cpuSeconds(pids) };
    const done = answered - last.answered;
    const share = Object.entries(now.cpuS).map(
      ([name, used]) => `${name} ${(((used - (last.cpuS[name] ?? 0)) * 1_000) / done).toFixed(1)}`,
    );
    const resident = Object.entries(await residentBytes(pids)).map(([name, bytes]) => `${name} ${toMegabytes(bytes)}`);
    const perSecond = ((done * 1_000) / (now.at - last.at)).toFixed(1);
    console.log(
      `  ${answered} answered: ${perSecond}/s, CPU each ${share.join(', ')} ms; resident ${resident.join(', ')}, heap ${toMegabytes(heapBytes())} MB`,
    );
    last = now;
  };

  console.log(`\n${count} conversations, ${concurrency} at once`);
  const newIds = Array.from({ length: count }, () => null);
  const first = await conversationLoad.runRound(
    { url, ids: newIds, concurrency, from: 1, to: 1, markEvery: Math.ceil(count / 20) },
    printProgress,
  );
  printRow('first message', first);
  const openAfterFirst = await countOpenWorkflows(edge);

  const everyTenth = first.ids.filter((_, i) => i % 10 === 0);
  last = { answered: 0, at: performance.now(), cpuS: await cpuSeconds(pids) };
  const second = await conversationLoad.runRound({ url, ids: everyTenth, concurrency, from: 2, to: 2 }, printProgress);
  await printProgress(everyTenth.length);
  printRow('second message', second);

  console.log(
    `  open workflows of conversations: ${openAfterFirst} after the first, ${await countOpenWorkflows(edge)} in the end`,
  );
  const { rows } = await edge.postgres.pool.query(
    `select (select count(*) from conversations) as conversations, count(*) as messages,
       count(*) filter (where m.state = 'done' and t.status = 'completed') as answered
     from conversation_messages m left join tasks t on t.id = m.task_id`,
  );
  console.log(`  rows: ${JSON.stringify(rows[0])}`);
}

/** Counts running workflows of conversations. Waits up to 30 s for 0: Temporal's visibility lags behind. */
async function countOpenWorkflows({ client }: Edge): Promise<number> {
  const deadline = Date.now() + 30_000;
  while (true) {
    const { count } = await client.workflow.count(
      `WorkflowType = 'conversationWorkflow' AND ExecutionStatus = 'Running'`,
    );
    if (count === 0 || Date.now() > deadline) return count;
    await sleep(500);
  }
}

function printRow(name: string, { ids, seconds, ms, repeated, failed }: RoundResult) {
  console.log(
    `  ${name}: ${(ids.length / seconds).toFixed(1)} conversations a second, POST to completed task p50 ${percentile(ms, 0.5).toFixed(0)} ms, p95 ${percentile(ms, 0.95).toFixed(0)} ms; ${repeated} sent again after a 503, ${failed.length} not completed`,
  );
}
