import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { isEnded } from '../../contract/task-status.ts';
import { BudgetGrant, Task } from '../../contract/task.ts';
import { budgetUpdate } from '../../workflows/messages.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import type { Views } from '../links.ts';
import { bodyProblems, IdParams, json, problems } from '../http/responses.ts';
import { updateTask } from '../../adapters/temporal/update-task.ts';
import { notFound } from './tasks.ts';

type Deps = Pick<ApiDeps, 'tasks' | 'client'> & { views: Views };

export const taskBudgetRoutes =
  ({ tasks, client, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/tasks/:id/budget',
      schema: {
        operationId: 'grantBudget',
        tags: ['tasks'],
        summary: 'Grant a task more, or end it with what it has',
        description:
          'A task at a limit is `waiting` and says why in `waiting`. Name the new total of that limit and it goes on; `{"finish": true}` ends it with what it has. A limit can be widened before it binds, too. Refusals (`budget_refused`) change nothing.',
        params: IdParams,
        body: BudgetGrant,
        response: { 200: json('The task with its new limits', Task), ...problems(404, 409, ...bodyProblems) },
      },
      handler: async ({ scope, params, body }, reply) => {
        const row = await tasks.get(scope, params.id);
        if (!row) throw notFound(params.id);
        if (isEnded(row.status)) throw ended(row.id, row.status);
        await updateTask(client, taskWorkflowId(row.id), budgetUpdate, body);
        return reply.send(views.task((await tasks.get(scope, row.id)) ?? row));
      },
    });
  };

const ended = (id: string, status: string) =>
  new AlfredError('task_ended', `The task ${id} is ${status}; its budget matters no more.`);
