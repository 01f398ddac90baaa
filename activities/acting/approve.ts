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
import { rulesFor, ruleThatFits, type RuleDeps } from './approval-rules.ts';
import { currentRun } from '../current-run.ts';
import type { Approvals, RequestedApproval, MessageStore, Tasks, Tool } from '../../contract/ports/index.ts';
import { toolNamed } from './tool-named.ts';

export type ApprovalDeps = RuleDeps & {
  approvals: Approvals;
  messageStore: Pick<MessageStore, 'loadToolArguments'>;
  tasks: Pick<Tasks, 'getRoles'>;
  tools: Record<string, Tool>;
  metrics: Metrics;
};

/** What calls wait for a person, and what that person says. */
export const createApprovalActivities = (deps: ApprovalDeps) => {
  const { approvals, messageStore: conversations, tools, metrics } = deps;
  return {
    /** Asks about the calls that need it. @returns for each what it waits for, or what was decided before */
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
      const asked = [];
      for (const { callId, tool } of calls) {
        const { arguments: input } = await conversations.loadToolArguments(task, head, callId);
        const rule = await neededRule(deps, task, tool, input);
        // A rule that was taken back in between asks for no one.
        if (rule) asked.push({ step, callId, tool, arguments: input, rule });
      }
      const standing = await approvals.request(task, currentRun(), asked);
      for (const { tool } of asked) metrics.approvalsRequested.inc({ tool });
      return standing;
    },

    escalateApproval: ({ task, id }: { task: TaskRef; id: string }): Promise<void> =>
      approvals.escalate(task, currentRun(), id),

    /**
     * @param note hash of what the person added: a comment, other arguments
     * @throws AlfredError `invalid_request` when those arguments do not fit the tool; nothing is decided then
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
      const tool = toolNamed(tools, pending.tool);
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

/** The rule that makes this very call wait, or undefined. */
export async function neededRule(
  deps: Pick<ApprovalDeps, 'tasks' | 'tools' | keyof RuleDeps>,
  task: TaskRef,
  name: string,
  input: JsonValue,
) {
  const tool = toolNamed(deps.tools, name);
  if (!tool) return undefined;
  const rules = rulesFor(deps, task.agent, tool);
  if (rules.length === 0) return undefined;
  const roles = rules.some(({ unlessRoles }) => unlessRoles) ? await deps.tasks.getRoles(task) : [];
  return ruleThatFits(rules, input, roles);
}

/** A turn whose calls say which of them change something, and which must be approved. */
export async function annotateCalls(deps: ApprovalDeps, task: TaskRef, turn: StepResult): Promise<StepResult> {
  if (turn.next !== 'tools') return turn;
  const calls = await Promise.all(
    turn.calls.map(async (call): Promise<ToolCallRef> => {
      const tool = toolNamed(deps.tools, call.tool);
      if (!tool) return call;
      const marked = tool.effect ? { ...call, effect: tool.effect } : call;
      if (rulesFor(deps, task.agent, tool).length === 0) return marked;
      const { arguments: input, malformed } = await deps.messageStore.loadToolArguments(task, turn.head, call.callId);
      if (malformed !== undefined || !isCallable(tool, input)) return marked;
      return (await neededRule(deps, task, call.tool, input)) ? { ...marked, approval: true } : marked;
    }),
  );
  return { ...turn, calls };
}

/** Nobody is asked about a call that the tool would turn away; the model is told instead. */
function isCallable(tool: Tool, input: JsonValue): boolean {
  try {
    tool.check?.(input);
    return true;
  } catch {
    return false;
  }
}
