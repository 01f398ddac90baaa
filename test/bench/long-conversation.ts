import { percentile } from '../../cli/eval/measures.ts';
import { conversationWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { addLibrary } from './document-library.ts';
import { cpuSeconds, megabytes, residentBytes, sum, thousands } from './measure.ts';
import type { Stops } from './servers.ts';
import { startStack } from './stack.ts';
import { createTalker, recalls } from './conversation-model.ts';
import { startTalkers } from './conversation-load-process.ts';
import { historiesOf, replayAll } from './workflow-histories.ts';

const contextTokens = 20_000;

/** One conversation of thousands of messages: what an answer costs in the end, compared to the beginning. */
export async function longConversation({
  messages,
  ...where
}: {
  messages: number;
  dir: string;
  log: Logger;
  stops: Stops;
}) {
  const talker = createTalker();
  const { url, edge, pids } = await startStack(
    where,
    { ALFRED_MODEL: 'scripted:talk', ALFRED_MODELS: JSON.stringify({ 'scripted:talk': { contextTokens } }) },
    (adapters) => ({ ...adapters, providers: { scripted: talker.provider } }),
  );
  const talkers = startTalkers(where.stops);
  await addLibrary(url, edge);
  const say = async (id: string | null, from: number, to: number): Promise<Said> => {
    const before = await cpuSeconds(pids);
    const { ids, ms, failed } = await talkers.talk({ url, ids: [id], lanes: 1, from, to });
    if (failed.length > 0) throw new Error(`not completed: ${failed.join(', ')}`);
    const after = await cpuSeconds(pids);
    return { id: ids[0] ?? '', ms, cpuS: sum(Object.values(after)) - sum(Object.values(before)) };
  };
  // What a process does for the first time is not the conversation's.
  await say(null, 1, 100);
  talker.tokens.length = 0;

  const hundreds: Said[] = [];
  for (let from = 1; from <= messages - 100; from += 100) {
    const hundred = await say(hundreds[0]?.id ?? null, from, from + 99);
    hundreds.push(hundred);
    const [resident = 0] = Object.values(await residentBytes(pids));
    console.log(`  ${from + 99} messages: ${costs(hundred)}, resident ${megabytes(resident)} MB`);
  }
  const id = hundreds[0]?.id ?? null;
  // The machine is not always as fast: the last hundred takes turns with the first hundred of a new conversation.
  const last: Said[] = [];
  const fresh: Said[] = [];
  for (let from = messages - 99; from <= messages; from += 10) {
    last.push(await say(id, from, from + 9));
    fresh.push(await say(fresh[0]?.id ?? null, from - messages + 100, from - messages + 109));
  }
  const runs = await historiesOf(edge, conversationWorkflowId(id ?? ''));
  const { tasks, compactions } = await rowsOf(edge, id ?? '');
  const sample = [];
  for (const taskId of tasks.filter((_, i) => i % 20 === 0))
    sample.push(...(await historiesOf(edge, taskWorkflowId(taskId))));
  const { replayed, seconds } = await replayAll(edge, [...runs, ...sample]);

  const [first, second] = hundreds;
  const [old, young] = [together(last), together(fresh)];
  const longest = Math.max(...runs.map(({ events }) => events));
  const largest = Math.max(...runs.map(({ bytes }) => bytes));
  const table: [string, string][] = [
    ['tasks', String(tasks.length)],
    ['tokens a call', `${thousands(Math.min(...talker.tokens))} to ${thousands(Math.max(...talker.tokens))}`],
    ['made shorter', compactions],
    ['runs', `${runs.length}, the longest ${longest} events, the largest ${thousands(largest / 1_000)} KB`],
    ['history a message', `${thousands(sum(runs.map(({ bytes }) => bytes)) / messages)} bytes, without its task’s`],
    ['a message, first hundred', costs(first)],
    ['a message, last hundred', costs(old)],
    ['a message, first hundred of a new conversation beside it', costs(young)],
    ['the last by that', `p50 ${ratio(median(old), median(young))} ×, CPU ${ratio(old.cpuS, young.cpuS)} ×`],
    ['an answer that cites the first passage', `p50 ${recalled(second)} ms in the second hundred, ${recalled(old)} in the last`], // prettier-ignore
    ['replay', `${replayed} of ${runs.length} runs and ${sample.length} tasks, in ${seconds.toFixed(1)} s`],
  ];
  console.log(`\n| ${messages} messages | |\n| --- | --- |`);
  for (const [name, figure] of table) console.log(`| ${name} | ${figure} |`);
}

async function rowsOf({ postgres: { pool } }: Edge, conversationId: string) {
  const tasks = await pool.query<{ id: string }>('select id from tasks where conversation_id = $1 order by id', [
    conversationId,
  ]);
  const compactions = await pool.query<{ method: string; count: number }>(
    `select e.data->>'method' as method, count(*) from task_events e join tasks t on t.id = e.task_id
     where t.conversation_id = $1 and e.type = 'context.compacted' group by 1`,
    [conversationId],
  );
  return {
    tasks: tasks.rows.map(({ id }) => id),
    compactions: compactions.rows.map(({ method, count }) => `${method} ${count}`).join(', '),
  };
}

/** `cpuS`: of all processes. */
type Said = { id: string; ms: number[]; cpuS: number };

const together = (said: Said[]): Said => ({
  id: said[0]?.id ?? '',
  ms: said.flatMap(({ ms }) => ms),
  cpuS: sum(said.map(({ cpuS }) => cpuS)),
});
const median = (said?: Said) => percentile(said?.ms ?? [], 0.5);
/** One person talks, so times are in the order of the messages. */
const recalled = (said?: Said) => percentile(said?.ms.filter((_, i) => recalls(i + 1)) ?? [], 0.5).toFixed(0);
const ratio = (a: number, b: number) => (a / b).toFixed(2);
const costs = (said?: Said) =>
  `p50 ${median(said).toFixed(0)} ms, p95 ${percentile(said?.ms ?? [], 0.95).toFixed(0)} ms, CPU ${(((said?.cpuS ?? 0) * 1_000) / (said?.ms.length ?? 1)).toFixed(0)} ms`;
