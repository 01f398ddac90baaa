import { rulesFor, type RuleDeps } from '../../agents/approval-rules.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type {
  ContentHash,
  MessageHead,
  PendingApproval,
  TaskRef,
  ToolCallRef,
  StepResult,
  Verdict,
} from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { currentRun, findTool } from '../activity-context.ts';
import { findMatchingRule } from './approval-rules.ts';
import { mayCallTool, type ToolRightsDeps } from './tool-rights.ts';
import type { Approvals, RequestedApproval, MessageStore, Tool } from '../../contract/ports/index.ts';

export type ApprovalDeps = RuleDeps &
  ToolRightsDeps & {
    approvals: Approvals;
    messageStore: Pick<MessageStore, 'loadToolArguments'>;
    tools: Record<string, Tool>;
    metrics: Metrics;
  };

/** Requests for approval, and their decisions. */
export const createApprovalActivities = (deps: ApprovalDeps) => {
  const { approvals, messageStore, metrics } = deps;
  return {
    /** Requests approval for the calls that need it. @returns for each call that it waits, or its earlier verdict */
    async requestApprovals({
      task,
      step,
      head,
      calls,
    }: {
      task: TaskRef;
      step: number;
      head: MessageHead;
      calls: ToolCallRef[];
    }): Promise<({ pending: PendingApproval } | { verdict: Verdict })[]> {
      const requested = [];
      for (const { callId, tool } of calls) {
        // Without the role of the tool the call will be refused: no person is asked.
        if (!(await mayCallTool(deps, task, tool))) continue;
        const { arguments: input } = await messageStore.loadToolArguments(task, head, callId);
        // Rules can have changed since the model call: without a matching rule no approval is requested.
        const rule = await requiredApproval(deps, task, tool, input);
        if (rule) requested.push({ step, callId, tool, arguments: input, rule });
      }
      const requestStates = await approvals.request(task, currentRun(), requested);
      for (const { tool } of requested) metrics.approvalsRequested.inc({ tool });
      return requestStates;
    },

    escalateApproval: ({ task, id }: { task: TaskRef; id: string }): Promise<void> =>
      approvals.escalate(task, currentRun(), id),

    /**
     * @param note hash of what the person added: a comment, edited arguments
     * @throws AlfredError `invalid_request` when those arguments do not fit the tool; then nothing is decided
     */
    async decideApproval({
      task,
      pending,
      approve,
      by,
      note: noteHash,
    }: {
      task: TaskRef;
      pending: Pick<PendingApproval, 'id' | 'tool' | 'argumentsHash'>;
      approve: boolean;
      by: string;
      note: ContentHash | undefined;
    }): Promise<Verdict> {
      const note = noteHash === undefined ? {} : await approvals.loadNote(pending.id, noteHash);
      const tool = findTool(deps, task.agent, pending.tool);
      if (approve && !tool)
        throw new AlfredError(
          'invalid_request',
          `The tool ${pending.tool} is not configured any more; it can only be denied.`,
        );
      if (note.edit) tool?.check?.(note.edit);
      return count(await approvals.decide(task, currentRun(), pending, { approve, by, note }));
    },

    expireApproval: async ({ task, asked }: { task: TaskRef; asked: RequestedApproval }): Promise<Verdict> =>
      count(await approvals.expire(task, currentRun(), asked)),
  };

  function count(verdict: Verdict): Verdict {
    metrics.approvalsDecided.inc({ decision: verdict.status });
    return verdict;
  }
};

/** The rule that requires approval for exactly this call; undefined when it may run. */
export async function requiredApproval(
  deps: Pick<ApprovalDeps, 'tasks' | 'tools' | keyof RuleDeps>,
  task: TaskRef,
  name: string,
  input: JsonValue,
) {
  const tool = findTool(deps, task.agent, name);
  if (!tool) return undefined;
  const rules = rulesFor(deps, task.agent, tool);
  if (rules.length === 0) return undefined;
  const roles = rules.some(({ unlessRoles }) => unlessRoles) ? await deps.tasks.getCurrentRoles(task) : [];
  return findMatchingRule(rules, input, roles);
}

/** Marks which calls of a step change something, and which need approval first. */
export async function annotateCalls(deps: ApprovalDeps, task: TaskRef, step: StepResult): Promise<StepResult> {
  if (step.next !== 'tools') return step;
  const calls = await Promise.all(
    step.calls.map(async (call): Promise<ToolCallRef> => {
      const tool = findTool(deps, task.agent, call.tool);
      if (!tool || !(await mayCallTool(deps, task, call.tool))) return call;
      const marked: ToolCallRef = {
        ...call,
        ...(tool.effect ? { effect: tool.effect } : {}),
        ...(tool.delegates ? { delegate: true } : {}),
      };
      if (rulesFor(deps, task.agent, tool).length === 0) return marked;
      const { arguments: input, malformed } = await deps.messageStore.loadToolArguments(task, step.head, call.callId);
      if (malformed !== undefined || !isCallable(tool, input)) return marked;
      return (await requiredApproval(deps, task, call.tool, input)) ? { ...marked, approval: true } : marked;
    }),
  );
  return { ...step, calls };
}

/** Whether the tool accepts the input. If not, no person is asked: the tool runs and reports the error to the model. */
function isCallable(tool: Tool, input: JsonValue): boolean {
  try {
    tool.check?.(input);
    return true;
  } catch {
    return false;
  }
}
