import { AlfredError } from '../../contract/errors.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { BudgetGrant, Task } from '../../contract/task.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import type { Views } from '../links.ts';
import { bodyProblems, TaskParams, json, problems } from '../http/responses.ts';
import { withTask } from '../find-task.ts';

type Deps = Pick<ApiDeps, 'control' | 'conversationRows'> & { views: Views };

export const taskBudgetRoutes =
  ({ control, conversationRows, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/tasks/:id/budget',
      schema: {
        operationId: 'grantBudget',
        tags: ['tasks'],
        summary: 'Change a task’s budget, or end it with what it has',
        description:
          'A task at a limit is `waiting` and says why in `waiting`. Name the new total of that limit and it goes on; `{"finish": true}` ends it with what it has. A limit can be widened before it binds, too. Refusals (`budget_refused`) change nothing.',
        params: TaskParams,
        body: BudgetGrant,
        response: {
          200: json('The task with its new limits', Task),
          ...problems('not_found', 'task_ended', 'task_queued', 'budget_refused', ...bodyProblems),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const row = await withTask(
          { conversationRows },
          { scope, id: params.id },
          () => control.tasks.grantBudget(reachOf(scope, 'grant', 'task'), params.id, body),
          ({ id, status }) => {
            throw new AlfredError('task_ended', `The task ${id} is ${status}; its budget matters no more.`);
          },
        );
        return reply.send(views.task(row));
      },
    });
  };
