import type { Priority } from '@temporalio/common';
import type { Agents } from '../../agents/index.ts';
import type {
  Citations,
  Delegations,
  TaskRow,
  Tasks,
  Tenants,
  WaitsBelow,
  Workflows,
} from '../../contract/ports/index.ts';
import type { MessageHead, TaskRef, ToolCallRef, ToolResultRef } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';
import { currentRun, requireWorkingTenant } from '../activity-context.ts';
import { resultCharactersNow, settingsNow, type AgentSettingsDeps } from '../agent-settings.ts';
import { hasTaskEnded } from '../has-task-ended.ts';
import { mayCallTool } from '../acting/tool-rights.ts';
import {
  denialOutcome,
  errorOutcome,
  refusalOutcome,
  toolOf,
  type ApprovalRef,
  type Outcome,
  type ToolDeps,
} from '../acting/run-tool.ts';
import { childOutcome, lostChildOutcome } from './child-outcome.ts';
import { endBelow, endChild, settleChild } from './end-below.ts';
import { parseRequest } from './parse-request.ts';

export type DelegationDeps = ToolDeps &
  AgentSettingsDeps & {
    delegations: Delegations;
    tasks: Tasks;
    citations: Pick<Citations, 'list'>;
    tenants: Pick<Tenants, 'find'>;
    workflows: Pick<Workflows, 'cancelTask' | 'describe'>;
    agents: Agents;
    /** A task's priority while tasks wait for workers; `priorityKey`: 1 (first) to 5 (last). */
    priorityOf(tenant: string, priorityKey: number | undefined): Priority;
    log: Logger;
  };

type DelegateCall = {
  task: TaskRef;
  step: number;
  head: MessageHead;
  call: ToolCallRef;
  approval?: ApprovalRef | undefined;
};

/** The work to start for a delegate call, or the result that it has without. */
export type PreparedDelegation =
  { result: ToolResultRef } | { child: TaskRef & { head: MessageHead }; priority: Priority; hasEnded?: true };

/** Delegate calls: a child is stored before its workflow starts, and its answer is the result of the call. */
export const createDelegationActivities = (deps: DelegationDeps) => ({
  /**
   * Stores the child of a delegate call with a share of the budget, under the receipt of the call.
   *
   * @param among the delegate calls of the step, by which the budget is parted
   * @returns a result instead when the call is refused, or was made before
   * @throws AlfredError `budget_exceeded` and `tenant_suspended` with `details`: the task can wait and ask again
   */
  async prepareDelegation({ among, ...made }: DelegateCall & { among: number }): Promise<PreparedDelegation> {
    const { task, step, head, call, approval } = made;
    await requireWorkingTenant(deps.tenants, task.tenant, true);
    const requested = await deps.messageStore.loadToolArguments(task, head, call.callId);
    const verdict = approval && (await deps.approvals.findVerdict(task, { step, callId: call.callId }));
    const input = verdict?.runs ? verdict.arguments : requested.arguments;
    const receipt = await deps.ledger.beginToolCall(task, {
      ...currentRun(),
      callId: call.callId,
      tool: call.tool,
      step,
      arguments: requested.malformed ?? input,
    });
    if (receipt.result) return { result: receipt.result };
    const refuse = async (outcome: Outcome) => {
      deps.metrics.delegations.inc({ agent: 'none', outcome: 'refused' });
      return { result: await complete(deps, made, outcome, 0) };
    };
    if (requested.malformed !== undefined)
      return refuse(
        errorOutcome(
          `The arguments of ${call.tool} are no JSON object. Call it again with arguments that fit its schema.`,
          'invalid_arguments',
        ),
      );
    const tool = toolOf(deps, task, call.tool);
    if (!tool) return refuse(errorOutcome(`There is no tool "${call.tool}".`, 'unknown_tool'));
    if (!(await mayCallTool(deps, task, call.tool))) return refuse(refusalOutcome(call.tool, false));
    if (approval && !approval.runs) return refuse(denialOutcome(verdict));
    const parsed = await parseRequest(deps, { task, call, tool, input, approval, verdict });
    if ('refused' in parsed) return refuse(parsed.refused);
    const { budget: agentBudget, version } = await settingsNow(deps, { tenant: task.tenant, agent: parsed.agent });
    const begun = await deps.delegations.begin(task, currentRun(), {
      step,
      callId: call.callId,
      agent: parsed.agent,
      input: parsed.input,
      asked: parsed.asked,
      agentBudget,
      settingsVersion: version,
      among,
    });
    if ('refused' in begun) return refuse(errorOutcome(begun.refused));
    const { child, priority, hasEnded } = begun;
    deps.log.info({ taskId: task.taskId, childId: child.taskId, agent: child.agent }, 'a task delegates to an agent');
    return { child, priority: deps.priorityOf(task.tenant, priority), ...(hasEnded ? { hasEnded } : {}) };
  },

  /**
   * Stores the answer of an ended child as the result of its call, and gives back what is left of its budget.
   *
   * @param isCancelled the parent is cancelled: the child is ended too, also one of another run
   * @returns undefined while the child has not ended
   */
  async collectDelegation({
    child,
    isCancelled,
    ...made
  }: DelegateCall & { child: TaskRef; isCancelled?: boolean | undefined }): Promise<ToolResultRef | undefined> {
    const { task, step, call } = made;
    if (isCancelled && !(await hasTaskEnded(deps, child.taskId)))
      await endChild(deps, child, 'Cancelled before it started.');
    if (!(await hasTaskEnded(deps, child.taskId))) return undefined;
    const row = await settleChild(deps, task, { call: { step, callId: call.callId }, child });
    const outcome = row
      ? childOutcome(row, (await deps.citations.list(child, child.taskId)) ?? [], await resultCharactersNow(deps, task))
      : lostChildOutcome(child.agent);
    return complete(deps, made, outcome, row ? durationOf(row) : 0);
  },

  /**
   * Ends what a task has delegated, at any level, before the task ends without an answer.
   *
   * @returns how many of these tasks have not ended yet
   */
  endBelow: ({ task }: { task: TaskRef }): Promise<number> => endBelow(deps, task),

  /**
   * How long tasks below a task have waited, in milliseconds, and whether one waits now.
   *
   * @param sinceMs since this time, as milliseconds since 1970. Default: in the whole life of the task
   */
  waitedBelow: ({ task, sinceMs }: { task: TaskRef; sinceMs?: number }): Promise<WaitsBelow> =>
    deps.delegations.readWaits(task, sinceMs),
});

/** Stores the result of a delegate call, as that of any other tool. */
async function complete(
  deps: DelegationDeps,
  { task, step, call }: DelegateCall,
  outcome: Outcome,
  durationMs: number,
): Promise<ToolResultRef> {
  const { callId, tool } = call;
  deps.metrics.toolCalls.inc({ tool: 'delegate', outcome: outcome.isError ? 'error' : 'ok' });
  const maxCharacters = await resultCharactersNow(deps, task);
  return deps.ledger.completeToolCall(task, { callId, tool, step, ...outcome, durationMs, maxCharacters });
}

const durationOf = ({ createdAt, endedAt }: TaskRow) =>
  Math.max(0, Date.parse(endedAt ?? createdAt) - Date.parse(createdAt));
