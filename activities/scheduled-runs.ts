import type { Priority } from '@temporalio/common';
import type { Agents } from '../agents/index.ts';
import { AlfredError } from '../contract/errors.ts';
import type { BudgetLimits, MessageHead, ScheduledRun, TaskRef } from '../contract/references.ts';
import type { TaskRequest } from '../contract/task.ts';
import type { Identity, Messages, RunEnd, RunNote, Schedules, Tasks } from '../contract/ports/index.ts';

export type ScheduledRunDeps = {
  schedules: Pick<Schedules, 'loadRun' | 'recordRun' | 'findRunEnd'>;
  tasks: Tasks;
  messages: Pick<Messages, 'submit'>;
  agents: Agents;
  /** The agent's own limits of one task. */
  budgetOf(agent: string): BudgetLimits;
  /** Where a tenant's workflows stand in line; `priorityKey`: 1 (first) to 5 (last). */
  priorityOf(tenant: string, priorityKey: number | undefined): Priority;
};

/** What a run starts: a task, ready to be started, or a message. */
export type ScheduledWork = { task: TaskRef & { head: MessageHead }; priority: Priority } | { message: true };

/** What runs of schedules do. The action stays in the schedule's row: only ids go into a run's history. */
export const createScheduledRunActivities = (deps: ScheduledRunDeps) => {
  const { schedules, tasks, messages, agents } = deps;
  const read = async (run: ScheduledRun) => {
    const found = await schedules.loadRun(run);
    if (!found) throw new AlfredError('not_found', 'The schedule was deleted.');
    return found;
  };

  /** The request as the agent of this version takes it: the schedule may be older. */
  const checked = (request: TaskRequest): TaskRequest => {
    const agent = Object.hasOwn(agents, request.agent) ? agents[request.agent] : undefined;
    if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${request.agent}" in this version.`);
    const input = agent.input.safeParse(request.input);
    if (!input.success)
      throw new AlfredError('invalid_request', `The input is not what the agent "${request.agent}" takes any more.`);
    return { ...request, input: input.data as TaskRequest['input'] };
  };

  const makeTask = async (run: ScheduledRun, identity: Identity, request: TaskRequest) => {
    const { id, agent, head } = await tasks.create(identity, checked(request), {
      idempotencyKey: run.key,
      budget: deps.budgetOf(request.agent),
    });
    return { tenant: run.tenant, subject: run.subject, taskId: id, agent, head };
  };

  return {
    /** Makes the row of the run's task, once; a run that is repeated finds the one it made. */
    async beginScheduledRun({ run }: { run: ScheduledRun }): Promise<ScheduledWork> {
      const { identity, action, task: madeBefore } = await read(run);
      const task = madeBefore ?? (action.task && (await makeTask(run, identity, action.task)));
      if (!task) {
        await schedules.recordRun(run, { conversationId: action.message?.conversationId, messageId: run.key });
        return { message: true };
      }
      await schedules.recordRun(run, { taskId: task.taskId });
      return { task, priority: deps.priorityOf(run.tenant, action.task?.priority) };
    },

    /** Gives the run's message to its conversation, once: its id is the run's. @returns the task that answers it */
    async submitScheduledMessage({ run }: { run: ScheduledRun }): Promise<{ taskId: string }> {
      const { identity, action } = await read(run);
      if (!action.message) throw new AlfredError('not_found', 'The schedule sends no message any more.');
      const { conversationId, text, onBusy } = action.message;
      const { taskId } = await messages.submit(identity, conversationId, { id: run.key, text, onBusy });
      if (taskId === null) throw new AlfredError('conversation_busy');
      await schedules.recordRun(run, { taskId, conversationId });
      return { taskId };
    },

    /** @returns how what the run began has ended, undefined while it goes on */
    scheduledRunEnd: ({ run }: { run: ScheduledRun }): Promise<RunEnd | undefined> => schedules.findRunEnd(run),

    /** A task whose run was cancelled before its workflow started. One that has ended stays as it is. */
    async dropScheduledTask({ task }: { task: TaskRef }): Promise<void> {
      await tasks.close(task, undefined, { status: 'cancelled', reason: 'Cancelled before it started.' });
    },

    failScheduledRun: ({ run, error }: { run: ScheduledRun; error: NonNullable<RunNote['error']> }): Promise<void> =>
      schedules.recordRun(run, { error }),
  };
};
