import { isTerminalEvent, type TaskEvent } from '../../contract/events.ts';
import { everyRole } from '../../contract/roles.ts';
import type { Principal } from '../../contract/principal.ts';
import type { TaskRequest } from '../../contract/task.ts';
import type { Agent } from '../../agents/index.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import type { EvalCase } from './cases.ts';
import { checkCase, type CaseEnd } from './check-case.ts';

/** What runs tasks: workers serve the agent, and rows are in the database of the stack. */
export type Engine = {
  adapters: Pick<Adapters, 'tasks' | 'events'> & {
    control: {
      tasks: Pick<Adapters['control']['tasks'], 'start' | 'cancel'>;
      approvals: Adapters['control']['approvals'];
    };
  };
  /** For whom the cases run. */
  principal: Principal;
  /** Cancels what runs. */
  signal?: AbortSignal;
};
/** `name`: under which workers know the agent. */
export type TestedAgent = { name: string; agent: Agent };

export type CaseResult = {
  name: string;
  taskId: string;
  faults: string[];
  seconds: number;
  costUsd: number;
  modelCalls: number;
};

/** A case that takes longer than this has failed, in milliseconds. */
const longestCaseMs = 600_000;

/** Runs one case as a task, decides about the calls that wait for a person, and checks its end. */
export async function runCase(engine: Engine, { name, agent }: TestedAgent, wanted: EvalCase): Promise<CaseResult> {
  const { adapters, principal } = engine;
  if (engine.signal?.aborted) return notRun(wanted, 'cancelled');
  const parsed = agent.input.safeParse(wanted.input);
  if (!parsed.success)
    return notRun(wanted, `the agent does not take this input: ${parsed.error.issues[0]?.message ?? ''}`);
  const input = parsed.data as TaskRequest['input'];
  const task = await adapters.tasks.create(principal, { agent: name, input }, { budget: agent.defaults?.budget });
  const ref = { tenant: principal.tenant, subject: principal.subject, taskId: task.id };
  await adapters.control.tasks.start({ ...ref, agent: name, head: task.head });
  const begun = performance.now();
  const calls: CaseEnd['calls'] = [];
  const signal = AbortSignal.any([AbortSignal.timeout(longestCaseMs), ...(engine.signal ? [engine.signal] : [])]);
  follow: for await (const page of adapters.events.follow(principal, task.id, 0, signal))
    for (const event of page) {
      if (event.type === 'tool.started') calls.push({ name: event.data.tool, arguments: event.data.arguments });
      if (event.type === 'approval.requested') await decide(engine, event, wanted.approvals);
      if (isTerminalEvent(event)) break follow;
    }
  const seconds = Math.round(performance.now() - begun) / 1_000;
  const row = await adapters.tasks.get(principal, task.id);
  if (signal.aborted || !row) {
    await adapters.control.tasks.cancel(principal, task.id, {});
    return notRun(
      wanted,
      engine.signal?.aborted ? 'cancelled' : `it did not end within ${longestCaseMs / 1_000} s`,
      task.id,
    );
  }
  const { costUsd, modelCalls } = row.usage;
  const faults = checkCase(wanted.checks, { task: row, calls, seconds });
  return { name: wanted.name, taskId: task.id, faults, seconds, costUsd, modelCalls };
}

const notRun = ({ name }: EvalCase, fault: string, taskId = ''): CaseResult => ({
  name,
  taskId,
  faults: [fault],
  seconds: 0,
  costUsd: 0,
  modelCalls: 0,
});

type Requested = Extract<TaskEvent, { type: 'approval.requested' }>;

/** Decides as a person who may: not the one for whom the task runs. */
async function decide({ adapters, principal }: Engine, { data }: Requested, decision: 'approve' | 'deny') {
  const { approvers, approvalId, argumentsHash } = data;
  const person: Principal = {
    ...principal,
    subject: approvers.subjects?.[0] ?? 'evaluation',
    roles: [everyRole, ...(approvers.roles ?? [])],
  };
  await adapters.control.approvals.decide(person, approvalId, { decision, argumentsHash });
}
