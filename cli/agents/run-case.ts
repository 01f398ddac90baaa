import { isTerminalEvent, type TaskEvent } from '../../contract/events.ts';
import { everyRole } from '../../contract/roles.ts';
import type { Principal } from '../../contract/principal.ts';
import type { TaskRequest } from '../../contract/task.ts';
import type { Agent } from '../../agents/index.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import type { EvalCase } from './cases.ts';
import { checkCase, type CaseEnd } from './check-case.ts';
import { judgementFault, type Judge, type Judgement } from './judge.ts';

/** What runs tasks: workers serve the agent, and rows are in the database of the stack. */
export type Engine = {
  adapters: Pick<Adapters, 'tasks' | 'events'> & {
    control: {
      tasks: Pick<Adapters['control']['tasks'], 'start' | 'cancel'>;
      approvals: Pick<Adapters['control']['approvals'], 'decide'>;
    };
  };
  /** For whom the cases run. */
  principal: Principal;
  /** Called with the task of a case before it starts. */
  prepare?: (taskId: string, wanted: EvalCase) => void;
  /** Absent when there is no model that could judge. */
  judge?: Judge | undefined;
  /** Cancels what runs. */
  signal?: AbortSignal;
};
/** `name`: under which workers know the agent. */
export type TestedAgent = { name: string; agent: Agent };

export type CaseResult = {
  name: string;
  taskId: string;
  /** It was not run, because no model could judge it: it has neither passed nor failed. */
  skipped?: true;
  faults: string[];
  judgement?: Judgement;
  seconds: number;
  costUsd: number;
  modelCalls: number;
};

/** A case that takes longer than this has failed, in milliseconds. */
const longestCaseMs = 600_000;
/** How long the end of a cancelled task is awaited, in milliseconds. */
const longestEndMs = 60_000;

/** Runs one case as a task, and checks its end. A case that cannot be run has failed; it leaves no task that runs. */
export async function runCase(engine: Engine, { name, agent }: TestedAgent, wanted: EvalCase): Promise<CaseResult> {
  const { adapters, principal } = engine;
  if (engine.signal?.aborted) return notRun(wanted, { faults: [whyStopped(engine.signal)] });
  if (wanted.checks.judge !== undefined && !engine.judge) return notRun(wanted, { skipped: true });
  let taskId: string | undefined;
  try {
    const parsed = agent.input.safeParse(wanted.input);
    if (!parsed.success)
      return notRun(wanted, {
        faults: [`the agent does not take this input: ${parsed.error.issues[0]?.message ?? ''}`],
      });
    const input = parsed.data as TaskRequest['input'];
    const task = await adapters.tasks.create(principal, { agent: name, input }, { budget: agent.defaults?.budget });
    taskId = task.id;
    engine.prepare?.(taskId, wanted);
    const { tenant, subject } = principal;
    await adapters.control.tasks.start({ tenant, subject, taskId, agent: name, head: task.head });
    return await followCase(engine, taskId, wanted);
  } catch (error) {
    const faults = [`it could not be run: ${error instanceof Error ? error.message : String(error)}`];
    if (taskId === undefined) return notRun(wanted, { faults });
    return notRun(wanted, { taskId, faults: [...faults, ...(await endTask(engine, taskId))] });
  }
}

/** Decides about the calls that wait for a person, and checks the end. */
async function followCase(engine: Engine, taskId: string, wanted: EvalCase): Promise<CaseResult> {
  const { adapters, principal } = engine;
  const begun = performance.now();
  const calls: CaseEnd['calls'] = [];
  const signal = AbortSignal.any([AbortSignal.timeout(longestCaseMs), ...(engine.signal ? [engine.signal] : [])]);
  follow: for await (const page of adapters.events.follow(principal, taskId, 0, signal))
    for (const event of page) {
      if (event.type === 'tool.started') calls.push({ name: event.data.tool, arguments: event.data.arguments });
      if (event.type === 'approval.requested') await decide(engine, event, wanted.approvals);
      if (isTerminalEvent(event)) break follow;
    }
  const seconds = Math.round(performance.now() - begun) / 1_000;
  const row = await adapters.tasks.get(principal, taskId);
  if (signal.aborted || !row) {
    const why = engine.signal?.aborted ? whyStopped(engine.signal) : `it did not end within ${longestCaseMs / 1_000} s`;
    return notRun(wanted, { taskId, faults: [why, ...(await endTask(engine, taskId))] });
  }
  const { costUsd, modelCalls } = row.usage;
  const faults = checkCase(wanted.checks, { task: row, calls, seconds });
  const { judge: criterion } = wanted.checks;
  const judgement =
    criterion !== undefined && row.result
      ? await engine.judge?.({ taskId, criterion, input: wanted.input, result: row.result }, engine.signal)
      : undefined;
  const fault = judgement ? judgementFault(judgement) : undefined;
  if (criterion !== undefined && !judgement) faults.push('there is no answer to judge');
  if (fault !== undefined) faults.push(fault);
  return {
    name: wanted.name,
    taskId,
    faults,
    ...(judgement && { judgement }),
    seconds,
    costUsd,
    modelCalls,
  };
}

/** A person has cancelled, or the workers of the test have failed. */
const whyStopped = ({ reason }: AbortSignal): string =>
  reason instanceof Error && reason.name !== 'AbortError'
    ? `the workers of the test failed: ${reason.message}`
    : 'cancelled';

/** Cancels a task and waits until it has ended: its workers go with the test. @returns what went wrong with that */
async function endTask({ adapters, principal }: Engine, taskId: string): Promise<string[]> {
  try {
    await adapters.control.tasks.cancel(principal, taskId, {});
    for await (const page of adapters.events.follow(principal, taskId, 0, AbortSignal.timeout(longestEndMs)))
      if (page.some(isTerminalEvent)) return [];
    return [`its task did not end within ${longestEndMs / 1_000} s of its cancellation`];
  } catch (error) {
    return [`its task could not be cancelled: ${error instanceof Error ? error.message : String(error)}`];
  }
}

const notRun = (
  { name }: EvalCase,
  { taskId = '', faults = [], skipped }: { taskId?: string; faults?: string[]; skipped?: true },
): CaseResult => ({
  name,
  taskId,
  ...(skipped && { skipped }),
  faults,
  seconds: 0,
  costUsd: 0,
  modelCalls: 0,
});

type Requested = Extract<TaskEvent, { type: 'approval.requested' }>;

/** Decides as no person of the tenant: who reads of it later sees that it was a test. */
async function decide({ adapters, principal }: Engine, { data }: Requested, decision: 'approve' | 'deny') {
  const { approvalId, argumentsHash } = data;
  const tester: Principal = { ...principal, subject: 'evaluation', roles: [everyRole] };
  await adapters.control.approvals.decide(tester, approvalId, { decision, argumentsHash });
}
