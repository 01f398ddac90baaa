import { decide, reachOf } from '../../contract/rules/policy.ts';
import { isEnded } from '../../contract/task-status.ts';
import { CancelRequest, Task } from '../../contract/task.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { roleMissing } from '../http/identity.ts';
import type { Views } from '../links.ts';
import { parse } from '../http/problems.ts';
import { bodyProblems, TaskParams, json, problems } from '../http/responses.ts';
import { withTask } from '../find-task.ts';

/** How long the response is held back for the task to end, in milliseconds. */
const waitForEndMs = 2_000;

type Deps = Pick<ApiDeps, 'control' | 'conversationRows' | 'events' | 'tasks' | 'tenants'> & {
  views: Views;
  draining: AbortSignal;
};

export const cancelTaskRoutes =
  ({ control, conversationRows, events, tasks, tenants, views, draining }: Deps) =>
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
        params: TaskParams,
        bodies: { 'application/json': CancelRequest },
        'x-optional-body': true,
        response: {
          200: json('The task has ended', Task),
          202: json('The task is being cancelled', Task),
          ...problems('not_found', 'task_queued', ...bodyProblems),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const { reason, undo } = body === undefined || body === null ? {} : parse(CancelRequest, body);
        const reach = reachOf(scope, 'cancel', 'task');
        // The door has asked for the right to cancel only.
        if (undo && !decide(scope, 'own', 'undo', 'task').allowed) throw roleMissing('undo', 'task');
        // To undo is to call tools, which a suspended tenant does not.
        if (undo) await tenants.requireActive(scope.tenant);
        const row = await withTask(
          { conversationRows },
          { scope, id: params.id },
          () => control.tasks.cancel(reach, params.id, { reason, undo }),
          (task) => task,
        );
        if (isEnded(row.status)) return reply.send(views.task(row));
        const stop = linkAbort([draining], { timeoutMs: waitForEndMs });
        await events.waitForEnd(row.id, stop.signal).finally(stop.release);
        const current = (await tasks.get(reach, row.id)) ?? row;
        return reply.code(isEnded(current.status) ? 200 : 202).send(views.task(current));
      },
    });
  };
