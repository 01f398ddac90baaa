import { v7 as newId } from 'uuid';
import type { Agents, Agent } from '../../agents/index.ts';
import type { RemoteAgent } from '../../agents/agent.ts';
import { AlfredError } from '../../contract/errors.ts';
import type {
  CallLeases,
  DayLimit,
  Ledger,
  MessageStore,
  RemoteAgents,
  RemoteRequest,
  RemoteRun,
  RemoteRuns,
  RemoteState,
  TaskEvents,
  Tenants,
  Workflows,
} from '../../contract/ports/index.ts';
import { noUsage, type MessageHead, type StepResult, type TaskRef, type Usage } from '../../contract/references.ts';
import type { TaskResult } from '../../contract/task.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { currentRun, requireAgent } from '../activity-context.ts';
import { observeCall } from '../model/observe-call.ts';
import { untilStored } from '../until-stored.ts';

export type RemoteDeps = {
  agents: Agents;
  remoteAgents: RemoteAgents;
  remoteRuns: RemoteRuns;
  ledger: Ledger;
  leases: CallLeases;
  events: Pick<TaskEvents, 'appendOnce'>;
  messageStore: Pick<MessageStore, 'load'>;
  tenants: Pick<Tenants, 'find'>;
  workflows: Pick<Workflows, 'forgetWorker'>;
  dayLimitsOf(task: TaskRef): Promise<DayLimit[]>;
  metrics: Metrics;
  log: Logger;
};

/** A remote run is the one step of its task. */
export const step = 1;
const purpose = 'turn' as const;

export type RemoteTask = { task: TaskRef; head: MessageHead };

/** @throws AlfredError `remote_refused` when this worker does not know the agent as one that works elsewhere */
export function remoteOf({ agents }: Pick<RemoteDeps, 'agents'>, { agent }: TaskRef): RemoteAgent {
  const known: Agent = requireAgent(agents, agent);
  if (known.remote) return known.remote;
  throw new AlfredError('remote_refused', `ALFRED_REMOTE_AGENTS of this worker has no agent ${agent}.`);
}

/** What a task asks. It has the same key each time, and continues what the conversation had there before. */
export async function requestOf(deps: RemoteDeps, { task, head }: RemoteTask, url: string): Promise<RemoteRequest> {
  const { messages } = await deps.messageStore.load(task, head);
  const asked = messages.findLast((message) => message.role === 'user');
  if (asked?.role !== 'user') throw new Error(`no question at ${head}`);
  const earlier = await deps.remoteRuns.findEarlier(task, url);
  return { key: task.taskId, text: asked.text, ...earlier };
}

/** The ids of a call in the ledger. A run is one call there, however often its worker changes. */
export const callOf = (task: TaskRef, remote: RemoteAgent, { callId }: Pick<RemoteRun, 'callId'>) => ({
  callId,
  step,
  attempt: 1,
  purpose,
  provider: remote.protocol,
  model: task.agent,
});

/** What a run is charged with until its end, and after an end that says nothing of its cost. */
export const mostOf = ({ costPerCallUsd }: RemoteAgent): Usage => ({ ...noUsage, costUsd: costPerCallUsd });

/** The usage of a run that has ended. What it says to have cost counts up to what was reserved. */
function usageOf(remote: RemoteAgent, state: RemoteState): Usage {
  const { usage } = state.state === 'answered' ? state : {};
  const most = mostOf(remote);
  if (!usage) return most;
  const { inputTokens, outputTokens, costUsd = most.costUsd } = usage;
  return { ...most, inputTokens, outputTokens, costUsd: Math.min(costUsd, most.costUsd) };
}

const durationOf = ({ sentAt }: Pick<RemoteRun, 'sentAt'>) =>
  sentAt ? Math.min(Math.max(0, Date.now() - sentAt.getTime()), 2_147_483_647) : 0;

/** The stored answer of a task. A worker that ended after it was stored has left its run open. */
export async function findAnswer(deps: RemoteDeps, task: TaskRef): Promise<StepResult | undefined> {
  const paid = await deps.ledger.findPaidCall(task, step, purpose);
  if (!paid) return undefined;
  const run = await deps.remoteRuns.find(task);
  if (run && run.state !== 'ended') await deps.remoteRuns.markEnded(task, run.callId);
  return paid.turn;
}

/** Stores the answer, or the question, of a run as the answer of its task. Numbers in it are text like the rest. */
export async function settle(
  deps: RemoteDeps,
  { task, head }: RemoteTask,
  run: RemoteRun,
  state: Extract<RemoteState, { state: 'answered' | 'asks' }>,
): Promise<StepResult> {
  const remote = remoteOf(deps, task);
  const result: TaskResult = {
    text: state.text,
    citations: [],
    ...(state.state === 'asks' ? { asks: {} } : {}),
    ...(state.state === 'answered' && state.data !== undefined ? { data: state.data } : {}),
  };
  const record = {
    ...callOf(task, remote, run),
    usage: usageOf(remote, state),
    durationMs: durationOf(run),
    firstTokenMs: null,
  };
  const { callId } = run;
  await deps.remoteRuns.noteEnd(task, callId, {
    remoteId: state.remoteId,
    contextId: state.contextId,
    asks: state.state === 'asks',
  });
  const { turn } = await deps.ledger.settleModelCall(task, {
    ...record,
    parent: head,
    parts: [{ type: 'text', text: state.text }],
    stopReason: 'end_turn',
    result,
  });
  await deps.remoteRuns.markEnded(task, callId);
  observeCall(deps.metrics, record, 'completed');
  deps.log.info({ taskId: task.taskId, agent: task.agent, state: state.state }, 'a remote agent has answered');
  return turn;
}

type Failed = {
  task: TaskRef;
  run: RemoteRun;
  /** Nothing when nothing began there. */
  usage: Usage;
  mayRetry?: boolean;
  signal: AbortSignal;
};

/**
 * Records that a run has no answer.
 *
 * @returns the error to throw. No attempt follows it unless `mayRetry`, or another attempt was first
 */
export async function fail(
  deps: RemoteDeps,
  { task, run, usage, mayRetry = false, signal }: Failed,
  error: AlfredError,
): Promise<AlfredError> {
  const remote = remoteOf(deps, task);
  const { code, message, retryAfterMs } = error;
  const record = { ...callOf(task, remote, run), usage, durationMs: durationOf(run), firstTokenMs: null };
  const failed = { ...record, code, message, mayRetry };
  const counted = await untilStored(() => deps.ledger.failModelCall(task, failed), signal);
  const { callId } = run;
  const isOurs = await untilStored(
    () => (mayRetry ? deps.remoteRuns.renew(task, callId, newId()) : deps.remoteRuns.markEnded(task, callId)),
    signal,
  );
  observeCall(deps.metrics, record, code);
  const failures = mayRetry ? counted : Infinity;
  const cause = error.cause ?? error;
  return new AlfredError(code, message, { failures: isOurs ? failures : findAgain, retryAfterMs, cause });
}

/** The number of failures of an error that another attempt always follows: it reads the row of the run again. */
export const findAgain = 0;

type ProgressState = 'started' | 'working' | 'asks' | 'failed' | 'cancelled' | 'goes_on';

/** Shows people how far a run is. */
export async function showState(deps: RemoteDeps, task: TaskRef, state: ProgressState, message?: string) {
  const data = { state, ...(message === undefined ? {} : { message }) };
  await deps.events.appendOnce(task, currentRun(), { type: 'remote.progress', data });
}

/** Why a run that ended there without an answer did. Its own words stand in the events. */
export function endOf(agent: string, { how }: Extract<RemoteState, { state: 'failed' }>): AlfredError {
  if (how === 'refused') return new AlfredError('remote_refused', `The remote agent ${agent} turned the request down.`);
  const what = how === 'cancelled' ? 'was cancelled there' : 'failed';
  return new AlfredError(
    'remote_failed',
    `The remote agent ${agent} ${what}; its words stand in the events of the task.`,
  );
}
