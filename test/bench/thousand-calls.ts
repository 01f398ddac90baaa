import { meanOf, percentile } from '../../cli/eval/measures.ts';
import { knowledge } from '../../agents/knowledge/agent.ts';
import { createTools } from '../../agents/tools/index.ts';
import { agentQueue, taskWorkflowId } from '../../contract/ids.ts';
import { startWorkers } from '../../workers/compose.ts';
import type { agentTaskWorkflow } from '../../workflows/agent-task/workflow.ts';
import { createPageReader, addReadPages, type MeasuredCall } from './page-reader-model.ts';
import { cpuSeconds, toMegabytes, sum, formatThousands } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { openStack } from './stack.ts';
import { fetchHistories, replayHistories } from './workflow-histories.ts';

const scope = { tenant: 'local', subject: 'local' };
const outputTokens = 8_192;
/** Between compactions, the conversation grows from half of the window to four fifths: 200,000 tokens on average. */
const windowTokens = 308_000;

/**
 * Measures one task that calls its model a thousand times with a long conversation: the size of a call in history, and
 * whether the last calls are as fast as the first.
 */
export async function measureThousandCalls({ calls, ...surroundings }: { calls: number } & Surroundings) {
  const { config, edge, adapters, pids } = await openStack(surroundings, {
    ALFRED_MODEL: 'scripted:long',
    ALFRED_MODELS: JSON.stringify({ 'scripted:long': { contextTokens: windowTokens + outputTokens } }),
    ALFRED_MAX_OUTPUT_TOKENS: String(outputTokens),
  });
  const cpuS: number[] = [];
  const recordCpu = async () => {
    cpuS.push(sum(Object.values(await cpuSeconds(pids))));
  };
  const { provider, tool, measuredCalls } = createPageReader(calls, recordCpu);
  const workers = await startWorkers(
    edge,
    { ...adapters, providers: { scripted: provider }, tools: { ...createTools(config, adapters), [tool.name]: tool } },
    [agentQueue('knowledge')],
    { agents: { knowledge: { ...knowledge, tools: [tool.name], maxSteps: calls } } },
  );
  surroundings.cleanups.push(() => workers.stop());

  const task = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'How does it end?' } }, {});
  const { db } = edge.postgres;
  const head = await addReadPages({ messageStore: adapters.messageStore, db }, scope, task.head, 200_000);
  const handle = await edge.client.workflow.start<typeof agentTaskWorkflow>('agentTaskWorkflow', {
    workflowId: taskWorkflowId(task.id),
    taskQueue: agentQueue('knowledge'),
    args: [{ taskId: task.id, agent: 'knowledge', head, ...scope }],
  });
  await handle.result();
  await recordCpu();

  const runs = await fetchHistories(edge, handle.workflowId);
  const { replayed, seconds } = await replayHistories(edge, runs);

  const events = await adapters.events.read(scope, task.id, 0, 1_000_000);
  const compactions = events.filter(({ type }) => type === 'context.compacted');
  const summaries = compactions.filter(({ data }) => 'method' in data && data.method === 'summary').length;
  const bytes = sum(runs.map((run) => run.bytes));
  const tokens = measuredCalls.map((call) => call.tokens);
  const first = stepsMs(measuredCalls.slice(0, 101));
  const last = stepsMs(measuredCalls.slice(-101));
  const table: [string, string][] = [
    ['model calls in one task', String(measuredCalls.length)],
    ['conversation, tokens', `${formatThousands(Math.min(...tokens))} to ${formatThousands(Math.max(...tokens))}, on average ${formatThousands(meanOf(tokens))}`], // prettier-ignore
    ['made shorter', `${compactions.length} times, ${summaries} of them by a summary`],
    ['history a call', `${Math.round(bytes / measuredCalls.length)} bytes`],
    ['runs', `${runs.length}, the longest ${Math.max(...runs.map((run) => run.events))} events and ${formatThousands(Math.max(...runs.map((run) => run.bytes)) / 1_000)} KB`], // prettier-ignore
    ['a step, first hundred', `${meanOf(first).toFixed(0)} ms on average, p50 ${percentile(first, 0.5).toFixed(0)}`],
    ['a step, last hundred', `${meanOf(last).toFixed(0)} ms on average, p50 ${percentile(last, 0.5).toFixed(0)}`],
    ['CPU a step, all processes', `${perStep(cpuS[0], cpuS[1], first)} ms in the first hundred, ${perStep(cpuS.at(-2), cpuS.at(-1), last)} in the last`], // prettier-ignore
    ['last hundred by first', `${(meanOf(last) / meanOf(first)).toFixed(2)} ×, p50 ${(percentile(last, 0.5) / percentile(first, 0.5)).toFixed(2)} ×`], // prettier-ignore
    ['resident memory, MB', formatResident(measuredCalls)],
    ['replay of all runs', `${replayed} of ${runs.length} in ${seconds.toFixed(1)} s`],
  ];
  console.log(`\n| ${calls} calls | |\n| --- | --- |`);
  for (const [name, figure] of table) console.log(`| ${name} | ${figure} |`);
}

/** The time from each model call to the next: the call, its tool, and the work of Alfred and Temporal between them. */
const stepsMs = (calls: MeasuredCall[]) => calls.slice(1).map(({ atMs }, i) => atMs - (calls[i]?.atMs ?? atMs));

const perStep = (from = 0, to = 0, steps: number[]) => (((to - from) * 1_000) / steps.length).toFixed(0);

/** Resident memory after a tenth, a quarter, a half, three quarters and all of the calls. */
function formatResident(calls: MeasuredCall[]): string {
  const numbers = [0.1, 0.25, 0.5, 0.75, 1].map((share) => Math.max(1, Math.round(share * calls.length)));
  return numbers.map((n) => `${toMegabytes(calls[n - 1]?.residentBytes ?? 0)} at call ${n}`).join(', ');
}
