import { isEnded } from '../../contract/task-status.ts';
import { Task, TaskList, TaskListQuery, TaskRequest } from '../../contract/task.ts';
import { checkInput } from '../check-input.ts';
import { readAgentInTenant } from '../../runtime/agent-in-tenant.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { usableAgents } from '../usable-agents.ts';
import { taskPath, type Views } from '../links.ts';
import { findVisibleTask, readStoredTask } from '../find-task.ts';
import { forReader, mayReadShared } from '../read-shared.ts';
import { reachOfList, roleMissing } from '../http/identity.ts';
import { preferenceApplied, readAsPreferred, WaitHeaders } from '../http/wait-for-end.ts';
import { bodyProblems, IdempotencyHeaders, TaskParams, json, location, problems } from '../http/responses.ts';

type Deps = Pick<
  ApiDeps,
  'agents' | 'citations' | 'config' | 'control' | 'conversationRows' | 'events' | 'shares' | 'tasks' | 'tenants'
> & {
  views: Views;
  draining: AbortSignal;
};

export const taskRoutes =
  ({ agents, citations, config, control, conversationRows, events, shares, tasks, tenants, views, draining }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/tasks',
      schema: {
        operationId: 'createTask',
        tags: ['tasks'],
        summary: 'Create a task: ask an agent',
        description:
          '202 means durable: the task survives every crash from here on. After a 503 repeat the request with the same `Idempotency-Key`.',
        headers: IdempotencyHeaders,
        body: TaskRequest,
        response: {
          202: json('The task is on its way', Task, location('the task')),
          ...problems('unknown_agent', 'idempotency_key_reused', 'tenant_limit', ...bodyProblems),
        },
      },
      handler: async ({ scope, body, headers }, reply) => {
        const request = checkInput(await usableAgents({ agents, config, tenants }, scope), body);
        const { budget, version } = await readAgentInTenant({ config, tenants }, scope.tenant, body.agent);
        const row = await tasks.create(scope, request, {
          idempotencyKey: headers['idempotency-key'],
          budget,
          settingsVersion: version,
        });
        const { head, isNew: _isNew, ...task } = row;
        // A repeat with the same key has the same body, and so the same priority.
        if (row.status === 'queued')
          await control.tasks.start({ ...scope, taskId: row.id, agent: row.agent, head, priority: body.priority });
        return reply.code(202).header('location', taskPath(row.id)).send(views.task(task));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/tasks',
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'List tasks, newest first',
        querystring: TaskListQuery,
        response: { 200: json('One page', TaskList), ...problems('invalid_request') },
      },
      handler: async (request, reply) => {
        const { scope, query } = request;
        const { of, ...filter } = query;
        const shared = of === 'shared';
        if (shared && !mayReadShared(scope, 'task')) throw roleMissing('read', 'task');
        const reach = reachOfList(scope, shared ? undefined : of, 'task');
        const page = await tasks.list(reach, { ...filter, shared });
        const rows = shared ? await forReader({ citations }, scope, page.tasks) : page.tasks;
        if (shared) request.readOfOther = rows.map(({ id }) => ({ type: 'task', id }));
        return reply.send({ tasks: rows.map(views.task), nextCursor: page.nextCursor });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/tasks/:id',
      schema: {
        operationId: 'getTask',
        tags: ['tasks'],
        summary: 'Read a task, or wait for its end',
        description:
          'The task of a message that waits for its turn is `queued`; of one that will have none, because it was passed over, rolled back or dropped, `cancelled`.',
        params: TaskParams,
        headers: WaitHeaders,
        response: {
          200: json('The task as it stands', Task, preferenceApplied),
          ...problems('not_found'),
        },
      },
      handler: async (request, reply) => {
        const { scope, params, headers } = request;
        const { id } = params;
        const row = await readAsPreferred(reply, {
          prefer: headers.prefer,
          draining,
          isEnded: ({ status }) => isEnded(status),
          read: () => findVisibleTask({ control, conversationRows, shares }, scope, id),
          isOpen: () => tasks.isOpen(scope, id),
          readStored: () => readStoredTask({ tasks, conversationRows, shares }, scope, id),
          readUntilEnd: (signal, readNext) => events.readUntilEnd(id, signal, readNext),
        });
        if (row.owner !== undefined) request.readOfOther = { type: 'task', id };
        const [shown = row] = row.owner === undefined ? [] : await forReader({ citations }, scope, [row]);
        return reply.send(views.task(shown));
      },
    });
  };
