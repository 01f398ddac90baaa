import { CallbackState } from '../../contract/callback.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { inTime } from '../../runtime/in-time.ts';
import { IdParams, json, problems } from '../http/responses.ts';
import { temporalDeadlineMs } from '../../adapters/temporal/start-workflow.ts';
import type { ReadTask } from '../../adapters/temporal/read-task.ts';
import { notFound } from './tasks.ts';

type Deps = Pick<ApiDeps, 'callbacks' | 'workflows' | 'client'> & { read: ReadTask };

export const taskCallbackRoutes =
  ({ callbacks, workflows, client, read }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/callback',
      schema: {
        operationId: 'getCallback',
        tags: ['tasks'],
        summary: 'See whether a task’s end was told',
        params: IdParams,
        response: { 200: json('How far the callback is', CallbackState), ...problems(404) },
      },
      handler: async ({ scope, params }, reply) => reply.send(await stateOf(scope, params.id)),
    });

    app.route({
      method: 'POST',
      url: '/v1/tasks/:id/callback',
      schema: {
        operationId: 'repeatCallback',
        tags: ['tasks'],
        summary: 'Tell a task’s end again',
        description:
          'Begins a new delivery, with a `webhook-id` of its own, whatever became of those before. The task must have ended (`task_running`).',
        params: IdParams,
        response: { 202: json('It is on its way', CallbackState), ...problems(404, 409) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await read(scope, id);
        if (!row) throw notFound(id);
        await stateOf(scope, id);
        if (!isEnded(row.status))
          throw new AlfredError(
            'task_running',
            `The task ${id} is ${row.status}; its callback follows when it has ended.`,
          );
        // Should Temporal be away now, the sweep finds the row.
        await callbacks.again(scope, id);
        const callback = { taskId: id, tenant: scope.tenant, subject: scope.subject };
        await inTime(client, temporalDeadlineMs, () => workflows.deliverCallback(callback, { anew: true }));
        return reply.code(202).send(await stateOf(scope, id));
      },
    });

    async function stateOf(scope: Scope, id: string): Promise<CallbackState> {
      const state = await callbacks.get(scope, id);
      if (state) return state;
      // Reads the task only to say which of the two is missing.
      throw (await read(scope, id))
        ? new AlfredError('callback_missing', `The task ${id} has no callback.`)
        : notFound(id);
    }
  };
