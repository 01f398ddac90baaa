import type { Priority } from '@temporalio/common';
import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { MessageHead, ScheduledRun, TaskRef } from '../contract/references.ts';
import type { TaskRequest } from '../contract/task.ts';
import type { AgentInTenant } from '../runtime/agent-in-tenant.ts';
import { agentNotYours, requireAgent } from './activity-context.ts';
import { settingsNow, type AgentSettingsDeps } from './agent-settings.ts';
import type { Principal } from '../contract/principal.ts';
import type { ConversationControl, RunEnd, RunNote, Schedules, Tasks } from '../contract/ports/index.ts';

export type ScheduledRunDeps = AgentSettingsDeps & {
  schedules: Pick<Schedules, 'loadRun' | 'recordRun' | 'findRunEnd'>;
  tasks: Tasks;
  messages: Pick<ConversationControl, 'submit'>;
  agents: Agents;
  /** A task's priority while tasks wait for workers; `priorityKey`: 1 (first) to 5 (last). */
  priorityOf(tenant: string, priorityKey: number | undefined): Priority;
};

/** What a run starts: a task, whose row exists and whose workflow is to be started, or a message. */
export type ScheduledWork = { task: TaskRef & { head: MessageHead }; priority: Priority } | { message: true };

/** The work of a schedule's runs. What to do is in the schedule's row: a run's history contains ids only. */
export const createScheduledRunActivities = (deps: ScheduledRunDeps) => {
  const { schedules, tasks, messages, agents } = deps;
  const loadRun = async (run: ScheduledRun) => {
    const scheduled = await schedules.loadRun(run);
    if (!scheduled) throw new AlfredError('not_found', 'The schedule was deleted.');
    return scheduled;
  };

  /** Parses the input with the agent's current schema: the schedule may be older. */
  const parseRequest = ({ roles }: Principal, request: TaskRequest, agent: AgentInTenant): TaskRequest => {
    const input = requireAgent(agents, request.agent).input.safeParse(request.input);
    if (!agent.mayBeUsedWith(roles)) throw agentNotYours(request.agent);
    if (!input.success)
      throw new AlfredError('invalid_request', `The input is not what the agent "${request.agent}" takes any more.`);
    return { ...request, input: input.data as TaskRequest['input'] };
  };

  const createTask = async (run: ScheduledRun, principal: Principal, request: TaskRequest) => {
    const settings = await settingsNow(deps, { tenant: run.tenant, agent: request.agent });
    const { id, agent, head } = await tasks.create(principal, parseRequest(principal, request, settings), {
      idempotencyKey: run.key,
      budget: settings.budget,
      scheduleId: run.scheduleId,
      settingsVersion: settings.version,
    });
    return { tenant: run.tenant, subject: run.subject, taskId: id, agent, head };
  };

  return {
    /** Creates the row of the run's task. Idempotent: a repeat finds the same task. */
    async beginScheduledRun({ run }: { run: ScheduledRun }): Promise<ScheduledWork> {
      const { principal, action, task: existing } = await loadRun(run);
      const task = existing ?? (action.task && (await createTask(run, principal, action.task)));
      if (!task) {
        await schedules.recordRun(run, { conversationId: action.message?.conversationId, messageId: run.key });
        return { message: true };
      }
      await schedules.recordRun(run, { taskId: task.taskId });
      return { task, priority: deps.priorityOf(run.tenant, action.task?.priority) };
    },

    /**
     * Sends the run's message to its conversation. Idempotent: the message's id is the run's key.
     *
     * @returns the task that answers it
     */
    async submitScheduledMessage({ run }: { run: ScheduledRun }): Promise<{ taskId: string }> {
      const { principal, action } = await loadRun(run);
      if (!action.message) throw new AlfredError('not_found', 'The schedule sends no message any more.');
      const { conversationId, text, onBusy } = action.message;
      const { taskId } = await messages.submit(principal, conversationId, { id: run.key, text, onBusy });
      if (taskId === null) throw new AlfredError('conversation_busy');
      await schedules.recordRun(run, { taskId, conversationId });
      return { taskId };
    },

    /** @returns how the run's work has ended; undefined while it continues */
    scheduledRunEnd: ({ run }: { run: ScheduledRun }): Promise<RunEnd | undefined> => schedules.findRunEnd(run),

    /** Closes a task whose run was cancelled before the task's workflow started. No effect on an ended task. */
    async dropScheduledTask({ task }: { task: TaskRef }): Promise<void> {
      await tasks.close(task, undefined, { status: 'cancelled', reason: 'Cancelled before it started.' });
    },

    failScheduledRun: ({ run, error }: { run: ScheduledRun; error: NonNullable<RunNote['error']> }): Promise<void> =>
      schedules.recordRun(run, { error }),
  };
};
