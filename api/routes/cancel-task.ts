import { WorkflowNotFoundError } from '@temporalio/client';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/references.ts';
import { isEnded } from '../../contract/task-status.ts';
import { CancelRequest, Task } from '../../contract/task.ts';
import type { TaskRow } from '../../contract/ports/index.ts';
import { linkAbort } from '../../runtime/linked-abort.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { inTime } from '../../runtime/in-time.ts';
import type { Views } from '../links.ts';
import { parse } from '../http/problems.ts';
import { bodyProblems, IdParams, json, problems } from '../http/responses.ts';
import { temporalDeadlineMs } from '../../adapters/temporal/start-workflow.ts';
import type { ReadTask } from '../../adapters/temporal/read-task.ts';
import { notFound } from './tasks.ts';

/** How long an answer is held back for the task's end, in milliseconds. */
const patienceMs = 2_000;

type Deps = Pick<ApiDeps, 'tasks' | 'events' | 'client'> & { read: ReadTask; views: Views; draining: AbortSignal };

export const cancelTaskRoutes =
  ({ tasks, events, client, read, views, draining }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/tasks/:id/cancel',
      schema: {
        operationId: 'cancelTask',
        tags: ['tasks'],
        summary: 'Cancel a task',
        description:
          'Safe to repeat. A task that has ended stays as it is. `effects` of the answer shows what it has changed; with `undo` that is taken back first, newest first, and `effects` says what could not be.',
        params: IdParams,
        bodies: { 'application/json': CancelRequest },
        'x-optional-body': true,
        response: {
          200: json('The task has ended', Task),
          202: json('The task is being cancelled', Task),
          ...problems(404, ...bodyProblems),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const { reason, undo } = body === undefined || body === null ? {} : parse(CancelRequest, body);
        const row = await tasks.get(scope, params.id);
        if (!row) throw notFound(params.id);
        if (isEnded(row.status)) return reply.send(views.task(row));
        await tasks.askToCancel(scope, row.id, { reason, undo, by: scope.subject });
        if (!(await cancelWorkflow(row.id))) await closeWithout(scope, row, reason);
        const stop = linkAbort([draining], { timeoutMs: patienceMs });
        await events.ended(row.id, stop.signal).finally(stop.release);
        const now = (await tasks.get(scope, row.id)) ?? row;
        return reply.code(isEnded(now.status) ? 200 : 202).send(views.task(now));
      },
    });

    /** @returns false when there is no running workflow */
    async function cancelWorkflow(taskId: string): Promise<boolean> {
      try {
        await inTime(client, temporalDeadlineMs, () => client.workflow.getHandle(taskWorkflowId(taskId)).cancel());
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    }

    /** A row whose start never reached Temporal ends here; one whose workflow is over is made true. */
    async function closeWithout(scope: Scope, row: TaskRow, reason = 'Cancelled before it started.'): Promise<void> {
      const current = await read(scope, row.id);
      if (current?.status !== 'queued') return;
      await tasks.close({ ...scope, taskId: row.id, agent: row.agent }, undefined, { status: 'cancelled', reason });
    }
  };
