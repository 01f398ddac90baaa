import { percentile } from '../../cli/eval/measures.ts';
import { conversationWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import type { Edge } from '../../runtime/edge.ts';
import { addDocumentLibrary } from './document-library.ts';
import { cpuSeconds, toMegabytes, residentBytes, sum, formatThousands } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startStack } from './stack.ts';
import { createConversationModel, citesFirstPassage } from './conversation-model.ts';
import { startConversationLoad } from './conversation-load-process.ts';
import { fetchHistories, replayHistories } from './workflow-histories.ts';

const contextTokens = 20_000;

/** Measures one conversation of thousands of messages: what an answer costs at the end, compared to the beginning. */
export async function measureLongConversation({ messages, ...surroundings }: { messages: number } & Surroundings) {
  const model = createConversationModel();
  const { url, edge, pids } = await startStack(
    surroundings,
    {
      ALFRED_MODEL: 'scripted:conversation',
      ALFRED_MODELS: JSON.stringify({ 'scripted:conversation': { contextTokens } }),
    },
    (adapters) => ({ ...adapters, providers: { scripted: model.provider } }),
  );
  const load = startConversationLoad(surroundings.cleanups);
  await addDocumentLibrary(url, edge);
  const sendMessages = async (id: string | null, from: number, to: number): Promise<MeasuredMessages> => {
    const before = await cpuSeconds(pids);
    const { ids, ms, failed } = await load.runRound({ url, ids: [id], concurrency: 1, from, to });
    if (failed.length > 0) throw new Error(`not completed: ${failed.join(', ')}`);
    const after = await cpuSeconds(pids);
    return { id: ids[0] ?? '', ms, cpuS: sum(Object.values(after)) - sum(Object.values(before)) };
  };
  // A warm-up in another conversation: the first messages cost more because the processes have just started.
  await sendMessages(null, 1, 100);
  model.tokens.length = 0;

  const hundreds: MeasuredMessages[] = [];
  for (let from = 1; from <= messages - 100; from += 100) {
    const hundred = await sendMessages(hundreds[0]?.id ?? null, from, from + 99);
    hundreds.push(hundred);
    const [resident = 0] = Object.values(await residentBytes(pids));
    console.log(`  ${from + 99} messages: ${formatCosts(hundred)}, resident ${toMegabytes(resident)} MB`);
  }
  const id = hundreds[0]?.id ?? null;
  // The machine's speed varies: the last hundred alternates with the first hundred of a new conversation.
  const last: MeasuredMessages[] = [];
  const fresh: MeasuredMessages[] = [];
  for (let from = messages - 99; from <= messages; from += 10) {
    last.push(await sendMessages(id, from, from + 9));
    fresh.push(await sendMessages(fresh[0]?.id ?? null, from - messages + 100, from - messages + 109));
  }
  const runs = await fetchHistories(edge, conversationWorkflowId(id ?? ''));
  const { tasks, compactions } = await readConversation(edge, id ?? '');
  const sampledTasks = [];
  for (const taskId of tasks.filter((_, i) => i % 20 === 0))
    sampledTasks.push(...(await fetchHistories(edge, taskWorkflowId(taskId))));
  const { replayed, seconds } = await replayHistories(edge, [...runs, ...sampledTasks]);

  const [first, second] = hundreds;
  const [oldest, newest] = [combine(last), combine(fresh)];
  const longest = Math.max(...runs.map(({ events }) => events));
  const largest = Math.max(...runs.map(({ bytes }) => bytes));
  const table: [string, string][] = [
    ['tasks', String(tasks.length)],
    ['tokens a call', `${formatThousands(Math.min(...model.tokens))} to ${formatThousands(Math.max(...model.tokens))}`],
    ['made shorter', compactions],
    ['runs', `${runs.length}, the longest ${longest} events, the largest ${formatThousands(largest / 1_000)} KB`],
    [
      'history a message',
      `${formatThousands(sum(runs.map(({ bytes }) => bytes)) / messages)} bytes, without its task’s`,
    ],
    ['a message, first hundred', formatCosts(first)],
    ['a message, last hundred', formatCosts(oldest)],
    ['a message, first hundred of a new conversation beside it', formatCosts(newest)],
    ['the last by that', `p50 ${ratio(median(oldest), median(newest))} ×, CPU ${ratio(oldest.cpuS, newest.cpuS)} ×`],
    ['an answer that cites the first passage', `p50 ${recallMs(second)} ms in the second hundred, ${recallMs(oldest)} in the last`], // prettier-ignore
    ['replay', `${replayed} of ${runs.length} runs and ${sampledTasks.length} tasks, in ${seconds.toFixed(1)} s`],
  ];
  console.log(`\n| ${messages} messages | |\n| --- | --- |`);
  for (const [name, figure] of table) console.log(`| ${name} | ${figure} |`);
}

async function readConversation({ postgres: { pool } }: Edge, conversationId: string) {
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

/** `ms`: from `POST` to the completed task. `cpuS`: CPU seconds of all processes. */
type MeasuredMessages = { id: string; ms: number[]; cpuS: number };

const combine = (rounds: MeasuredMessages[]): MeasuredMessages => ({
  id: rounds[0]?.id ?? '',
  ms: rounds.flatMap(({ ms }) => ms),
  cpuS: sum(rounds.map(({ cpuS }) => cpuS)),
});
const median = (messages?: MeasuredMessages) => percentile(messages?.ms ?? [], 0.5);
/** Median of the answers that cite the first passage. With one client, the times are in the order of the messages. */
const recallMs = (messages?: MeasuredMessages) =>
  percentile(messages?.ms.filter((_, i) => citesFirstPassage(i + 1)) ?? [], 0.5).toFixed(0);
const ratio = (a: number, b: number) => (a / b).toFixed(2);
const formatCosts = (messages?: MeasuredMessages) =>
  `p50 ${median(messages).toFixed(0)} ms, p95 ${percentile(messages?.ms ?? [], 0.95).toFixed(0)} ms, CPU ${(((messages?.cpuS ?? 0) * 1_000) / (messages?.ms.length ?? 1)).toFixed(0)} ms`;
