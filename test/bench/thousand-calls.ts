import { meanOf, percentile } from '../../cli/eval/measures.ts';
import { createAdapters } from '../../wiring/adapters.ts';
import { knowledge } from '../../agents/knowledge/agent.ts';
import { createTools } from '../../agents/tools/index.ts';
import { agentQueue, taskWorkflowId } from '../../contract/ids.ts';
import { openEdge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { startWorkers } from '../../workers/compose.ts';
import type { agentTaskWorkflow } from '../../workflows/agent-task/workflow.ts';
import { longTalker, readAhead, type Seen } from './page-reader-model.ts';
import { cpuSeconds, megabytes, sum, thousands } from './measure.ts';
import { startServers, type Stops } from './servers.ts';
import { historiesOf, replayAll } from './workflow-histories.ts';

const scope = { tenant: 'local', subject: 'local' };
const outputTokens = 8_192;
/** Between compactions the conversation grows from half of this to four fifths: 200,000 tokens on average. */
const windowTokens = 308_000;

/** One task that calls its model a thousand times with a long conversation: what a call leaves in history, and whether the last ones are as fast as the first. */
export async function thousandCalls({
  calls,
  dir,
  log,
  stops,
}: {
  calls: number;
  dir: string;
  log: Logger;
  stops: Stops;
}) {
  const { config, pids } = await startServers(dir, log, stops, {
    ALFRED_MODEL: 'scripted:long',
    ALFRED_MODELS: JSON.stringify({ 'scripted:long': { contextTokens: windowTokens + outputTokens } }),
    ALFRED_MAX_OUTPUT_TOKENS: String(outputTokens),
  });
  const edge = await openEdge(config, 'bench');
  const adapters = createAdapters(edge);
  const cpuS: number[] = [];
  const markCpu = async () => void cpuS.push(sum(Object.values(await cpuSeconds(pids))));
  const { provider, tool, seen } = longTalker(calls, markCpu);
  const workers = await startWorkers(
    edge,
    { ...adapters, providers: { scripted: provider }, tools: { ...createTools(config, adapters), [tool.name]: tool } },
    [agentQueue('knowledge')],
    { agents: { knowledge: { ...knowledge, tools: [tool.name], maxSteps: calls } } },
  );
  stops.push(async () => {
    await workers.stop();
    await adapters.close();
    await edge.close();
  });

  const task = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'How does it end?' } }, {});
  const { db } = edge.postgres;
  const head = await readAhead({ messageStore: adapters.messageStore, db }, scope, task.head, 200_000);
  const handle = await edge.client.workflow.start<typeof agentTaskWorkflow>('agentTaskWorkflow', {
    workflowId: taskWorkflowId(task.id),
    taskQueue: agentQueue('knowledge'),
    args: [{ taskId: task.id, agent: 'knowledge', head, ...scope }],
  });
  await handle.result();
  await markCpu();

  const runs = await historiesOf(edge, handle.workflowId);
  const { replayed, seconds } = await replayAll(edge, runs);

  const events = await adapters.events.read(scope, task.id, 0, 1_000_000);
  const compactions = events.filter(({ type }) => type === 'context.compacted');
  const summaries = compactions.filter(({ data }) => 'method' in data && data.method === 'summary').length;
  const bytes = sum(runs.map((run) => run.bytes));
  const tokens = seen.map((call) => call.tokens);
  const first = stepsMs(seen.slice(0, 101));
  const last = stepsMs(seen.slice(-101));
  const table: [string, string][] = [
    ['model calls in one task', String(seen.length)],
    ['conversation, tokens', `${thousands(Math.min(...tokens))} to ${thousands(Math.max(...tokens))}, on average ${thousands(meanOf(tokens))}`], // prettier-ignore
    ['made shorter', `${compactions.length} times, ${summaries} of them by a summary`],
    ['history a call', `${Math.round(bytes / seen.length)} bytes`],
    ['runs', `${runs.length}, the longest ${Math.max(...runs.map((run) => run.events))} events and ${thousands(Math.max(...runs.map((run) => run.bytes)) / 1_000)} KB`], // prettier-ignore
    ['a step, first hundred', `${meanOf(first).toFixed(0)} ms on average, p50 ${percentile(first, 0.5).toFixed(0)}`],
    ['a step, last hundred', `${meanOf(last).toFixed(0)} ms on average, p50 ${percentile(last, 0.5).toFixed(0)}`],
    ['CPU a step, all processes', `${perStep(cpuS[0], cpuS[1], first)} ms in the first hundred, ${perStep(cpuS.at(-2), cpuS.at(-1), last)} in the last`], // prettier-ignore
    ['last hundred by first', `${(meanOf(last) / meanOf(first)).toFixed(2)} ×, p50 ${(percentile(last, 0.5) / percentile(first, 0.5)).toFixed(2)} ×`], // prettier-ignore
    ['resident memory, MB', resident(seen)],
    ['replay of all runs', `${replayed} of ${runs.length} in ${seconds.toFixed(1)} s`],
  ];
  console.log(`\n| ${calls} calls | |\n| --- | --- |`);
  for (const [name, figure] of table) console.log(`| ${name} | ${figure} |`);
}

/** From one model call to the next: the call, its tool, and all that Alfred and Temporal do in between. */
const stepsMs = (calls: Seen[]) => calls.slice(1).map(({ atMs }, i) => atMs - (calls[i]?.atMs ?? atMs));

const perStep = (from = 0, to = 0, steps: number[]) => (((to - from) * 1_000) / steps.length).toFixed(0);

function resident(seen: Seen[]): string {
  const at = [0.1, 0.25, 0.5, 0.75, 1].map((share) => Math.max(1, Math.round(share * seen.length)));
  return at.map((call) => `${megabytes(seen[call - 1]?.residentBytes ?? 0)} at call ${call}`).join(', ');
}
