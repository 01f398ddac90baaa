import { z } from 'zod';
import { PushConfig, PushConfigView } from '../../contract/callback.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { ApiDeps } from '../deps.ts';
import { withTask } from '../find-task.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, TaskParams, json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'callbacks' | 'control' | 'conversationRows'>;
const url = '/v1/tasks/:id/push-config';

/** Where A2A tells of the end of a task: its callback, in the form of that protocol. */
export const taskPushConfigRoutes =
  ({ callbacks, control, conversationRows }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'PUT',
      url,
      schema: {
        operationId: 'setPushConfig',
        tags: ['tasks'],
        summary: 'Tell an address of A2A when the task has ended',
        description:
          'The address gets the task as A2A shows it, by a POST. A task has one callback: a config with the same `id` is replaced, and beside another one, or a `callback`, it is refused. Of a task that has ended it is sent at once.',
        params: TaskParams,
        body: PushConfig,
        response: {
          200: json('The config, without what is secret', PushConfigView),
          ...problems('not_found', 'task_queued', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id }, body }, reply) => {
        const { status } = await readTask(scope, id);
        if (!(await callbacks.setPush({ ...scope, taskId: id }, body)))
          throw new AlfredError('invalid_request', `The task ${id} has another callback already, and can have one.`);
        if (isEnded(status)) await control.tasks.repeatCallback(scope, id);
        return reply.send({ id: body.id, url: body.url });
      },
    });

    app.route({
      method: 'GET',
      url,
      schema: {
        operationId: 'getPushConfig',
        tags: ['tasks'],
        summary: 'Read where A2A tells of the end of a task',
        params: TaskParams,
        response: {
          200: json('The config', PushConfigView),
          ...problems('not_found', 'callback_missing', 'task_queued'),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const config = await callbacks.findPush({ ...scope, taskId: id });
        return reply.send(config ?? (await refuseMissing(scope, id)));
      },
    });

    app.route({
      method: 'DELETE',
      url,
      schema: {
        operationId: 'removePushConfig',
        tags: ['tasks'],
        summary: 'Tell no address of A2A of the end of a task',
        params: TaskParams,
        response: {
          204: z.null().describe('Removed'),
          ...problems('not_found', 'callback_missing', 'task_queued', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await callbacks.removePush({ ...scope, taskId: id }))) await refuseMissing(scope, id);
        return reply.code(204).send(null);
      },
    });

    const readTask = (scope: Scope, id: string) =>
      withTask(
        { conversationRows },
        { scope, id },
        () => control.tasks.read(scope, id),
        (task) => task,
      );

    /** @throws AlfredError that says which of the two is missing: the task, or its config */
    async function refuseMissing(scope: Scope, id: string): Promise<never> {
      await readTask(scope, id);
      throw new AlfredError('callback_missing', `The task ${id} has no push config.`);
    }
  };
