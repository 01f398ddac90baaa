import { TaskCitations } from '../../contract/task.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { IdParams, json, problems } from '../http/responses.ts';
import { noTask } from './tasks.ts';

type Deps = Pick<ApiDeps, 'citations'>;

export const taskCitationRoutes =
  ({ citations }: Deps) =>
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
        if (!found) throw noTask(params.id);
        return reply.send({ citations: found });
      },
    });
  };
