import { TaskCitations } from '../../contract/task.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { IdParams, json, problems } from '../http/responses.ts';
import { noTask } from '../find-task.ts';

type Deps = Pick<ApiDeps, 'citations' | 'conversationRows'>;

export const taskCitationRoutes =
  ({ citations, conversationRows }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/citations',
      schema: {
        operationId: 'getTaskCitations',
        tags: ['tasks'],
        summary: 'Read what an answer cites, as it was read, and what has become of it since',
        params: IdParams,
        response: { 200: json('The citations, by their numbers', TaskCitations), ...problems(404) },
      },
      handler: async ({ scope, params }, reply) => {
        const found = await citations.list(scope, params.id);
        if (!found && !(await conversationRows.findComingTask(scope, params.id))) throw noTask(params.id);
        return reply.send({ citations: found ?? [] });
      },
    });
  };
