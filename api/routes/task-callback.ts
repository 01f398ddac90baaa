import { CallbackState } from '../../contract/callback.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, TaskParams, json, problems } from '../http/responses.ts';
import { withTask } from '../find-task.ts';

type Deps = Pick<ApiDeps, 'callbacks' | 'control' | 'conversationRows'>;

export const taskCallbackRoutes =
  ({ callbacks, control, conversationRows }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/callback',
      schema: {
        operationId: 'getCallback',
        tags: ['tasks'],
        summary: 'Read the state of a task’s webhook',
        params: TaskParams,
        response: {
          200: json('The state of the webhook', CallbackState),
          ...problems('not_found', 'callback_missing', 'task_queued'),
        },
      },
      handler: async ({ scope, params }, reply) => reply.send(await stateOf(scope, params.id)),
    });

    app.route({
      method: 'POST',
      url: '/v1/tasks/:id/callback',
      schema: {
        operationId: 'repeatCallback',
        tags: ['tasks'],
        summary: 'Send a task’s webhook again',
        description:
          'Begins a new delivery, with a `webhook-id` of its own, regardless of those before. The task must have ended (`task_running`).',
        params: TaskParams,
        response: {
          202: json('The delivery begins', CallbackState),
          ...problems('not_found', 'callback_missing', 'task_running', 'task_queued', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        await withTask(
          { conversationRows },
          { scope, id },
          () => control.tasks.repeatCallback(scope, id),
          () => {
            throw withoutCallback(id);
          },
        );
        return reply.code(202).send(await stateOf(scope, id));
      },
    });

    async function stateOf(scope: Scope, id: string): Promise<CallbackState> {
      const state = await callbacks.get({ ...scope, taskId: id });
      if (state) return state;
      // Reads the task only to report which of the two is missing.
      await withTask(
        { conversationRows },
        { scope, id },
        () => control.tasks.read(scope, id),
        (task) => task,
      );
      throw withoutCallback(id);
    }
  };

const withoutCallback = (id: string) => new AlfredError('callback_missing', `The task ${id} has no callback.`);
