import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, TaskParams, problems } from '../http/responses.ts';
import { findTask, noTask } from '../find-task.ts';

type Deps = Pick<ApiDeps, 'control' | 'conversationRows' | 'erasure'>;

export const deleteTaskRoutes =
  ({ control, conversationRows, erasure }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'DELETE',
      url: '/v1/tasks/:id',
      schema: {
        operationId: 'deleteTask',
        tags: ['tasks'],
        summary: 'Delete a task and its content',
        description:
          'It is no longer shown. A running task is cancelled first, then all content is removed. What it cost stays in `GET /v1/usage`. A task of a conversation is refused: delete its conversation.',
        params: TaskParams,
        response: {
          204: z.null().describe('Deleted'),
          ...problems('not_found', 'task_in_conversation', 'task_queued', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await findTask({ control, conversationRows }, scope, id);
        if (row.conversationId !== null)
          throw new AlfredError(
            'task_in_conversation',
            `The task ${id} belongs to the conversation ${row.conversationId}. Delete the conversation.`,
          );
        if (!isEnded(row.status)) await control.tasks.cancel(scope, id, { reason: 'The task was deleted.' });
        if (!(await erasure.deleteTask(scope, id))) throw noTask(id);
        return reply.code(204).send(null);
      },
    });
  };
