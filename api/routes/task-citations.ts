import { TaskCitations } from '../../contract/task.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { TaskParams, json, problems } from '../http/responses.ts';
import { findTask } from '../find-task.ts';

type Deps = Pick<ApiDeps, 'citations' | 'control' | 'conversationRows'>;

export const taskCitationRoutes =
  ({ citations, control, conversationRows }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/citations',
      schema: {
        operationId: 'getTaskCitations',
        tags: ['tasks'],
        summary: 'Read what an answer cites, as it was read, and what has become of it since',
        params: TaskParams,
        response: { 200: json('The citations, by their numbers', TaskCitations), ...problems('not_found') },
      },
      handler: async ({ scope, params }, reply) => {
        const found = await citations.list(scope, params.id);
        // A task without a row has none yet; one that is gone is 404.
        if (!found) await findTask({ control, conversationRows }, scope, params.id);
        return reply.send({ citations: found ?? [] });
      },
    });
  };
