import { TaskCitations } from '../../contract/task.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { TaskParams, json, problems } from '../http/responses.ts';
import { findReadableTask } from '../find-task.ts';
import { isOther, readShared } from '../read-shared.ts';

type Deps = Pick<ApiDeps, 'citations' | 'control' | 'conversationRows' | 'shares'>;

export const taskCitationRoutes =
  ({ citations, control, conversationRows, shares }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/citations',
      schema: {
        operationId: 'getTaskCitations',
        tags: ['tasks'],
        summary: 'Read what an answer cites, as it was read, and what has become of it since',
        description: 'Of a task that another has shared with you, only what documents say that you may read.',
        params: TaskParams,
        response: { 200: json('The citations, by their numbers', TaskCitations), ...problems('not_found') },
      },
      handler: async (request, reply) => {
        const { scope, params } = request;
        const { id } = params;
        const found = await readShared(shares, scope, { taskId: id }, (owner) =>
          citations.list(owner, id, isOther(scope, owner) ? scope : undefined),
        );
        // A task without a row has none yet; one that is gone is 404.
        if (!found) await findReadableTask({ control, conversationRows, shares }, scope, id);
        if (found && isOther(scope, found.owner)) request.readOfOther = { type: 'task', id };
        return reply.send({ citations: found?.row ?? [] });
      },
    });
  };
