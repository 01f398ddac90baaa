import type { ScheduleRow } from '../../contract/ports/index.ts';
import { AlfredError, InvalidRequest } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import {
  Schedule,
  ScheduleChange,
  ScheduleList,
  ScheduleListQuery,
  ScheduleRequest,
  type ScheduleAction,
} from '../../contract/schedule.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { reachOfList } from '../http/identity.ts';
import type { Principal } from '../../contract/principal.ts';
import { usableAgents } from '../usable-agents.ts';
import { checkInput } from '../check-input.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { schedulePath, type Views } from '../links.ts';
import { bodyProblems, IdempotencyHeaders, ScheduleParams, json, location, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'agents' | 'config' | 'control' | 'conversationRows' | 'schedules' | 'tenants'> & {
  views: Views;
};

export const scheduleRoutes =
  ({ agents, config, control, conversationRows, schedules, tenants, views }: Deps) =>
  async (app: Api) => {
    const show = async (scope: Scope, row: ScheduleRow) =>
      views.schedule(scope, row, await control.schedules.describe(row.id));

    app.route({
      method: 'POST',
      url: '/v1/schedules',
      schema: {
        operationId: 'createSchedule',
        tags: ['schedules'],
        summary: 'Create a schedule',
        description:
          'Each run makes a task, or sends a message to a conversation, in your name and with the roles that you have when it runs. After a 503 repeat the request with the same `Idempotency-Key`.',
        headers: IdempotencyHeaders,
        body: ScheduleRequest,
        response: {
          201: json('It runs from now on', Schedule, location('the schedule')),
          ...problems('unknown_agent', 'idempotency_key_reused', ...bodyProblems),
        },
      },
      handler: async ({ scope, body, headers }, reply) => {
        const request = {
          ...body,
          action: await checkAction({ agents, config, conversationRows, tenants }, scope, body.action),
        };
        const row = await control.schedules.create(scope, request, { idempotencyKey: headers['idempotency-key'] });
        return reply
          .code(201)
          .header('location', schedulePath(row.id))
          .send(await show(scope, row));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/schedules',
      schema: {
        operationId: 'listSchedules',
        tags: ['schedules'],
        summary: 'List schedules, newest first',
        querystring: ScheduleListQuery,
        response: { 200: json('One page', ScheduleList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => {
        const { of, ...filter } = query;
        const page = await schedules.list(reachOfList(scope, of, 'schedule'), filter);
        return reply.send({
          schedules: await Promise.all(page.schedules.map((row) => show(scope, row))),
          nextCursor: page.nextCursor,
        });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/schedules/:id',
      schema: {
        operationId: 'getSchedule',
        tags: ['schedules'],
        summary: 'Read a schedule: when it runs next, and what became of its last runs',
        params: ScheduleParams,
        response: { 200: json('The schedule as it stands', Schedule), ...problems('not_found') },
      },
      handler: async ({ scope, params }, reply) => {
        const row = await schedules.get(reachOf(scope, 'see', 'schedule'), params.id);
        if (!row) throw noSchedule(params.id);
        return reply.send(await show(scope, row));
      },
    });

    app.route({
      method: 'PATCH',
      url: '/v1/schedules/:id',
      schema: {
        operationId: 'changeSchedule',
        tags: ['schedules'],
        summary: 'Change a schedule',
        description:
          'What is left out stays. A schedule that was deleted in Temporal is made again. A change that is refused changes nothing.',
        params: ScheduleParams,
        body: ScheduleChange,
        response: {
          200: json('The changed schedule', Schedule),
          ...problems('not_found', 'unknown_agent', ...bodyProblems),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const change = {
          ...body,
          ...(body.action
            ? { action: await checkAction({ agents, config, conversationRows, tenants }, scope, body.action) }
            : {}),
        };
        const row = await control.schedules.change(scope, params.id, change);
        if (!row) throw noSchedule(params.id);
        return reply.send(await show(scope, row));
      },
    });
  };

/** @throws InvalidRequest when no run could do it */
async function checkAction(
  { agents, config, conversationRows, tenants }: Pick<Deps, 'agents' | 'config' | 'conversationRows' | 'tenants'>,
  scope: Principal,
  action: ScheduleAction,
): Promise<ScheduleAction> {
  if (action.task) {
    checkInput(await usableAgents({ agents, config, tenants }, scope), action.task, ['action', 'task']);
    // Each run reads the input as it was given, by the schema that the agent has then.
    return action;
  }
  const id = action.message?.conversationId;
  if (id !== undefined && !(await conversationRows.get(scope, id)))
    throw new InvalidRequest([
      {
        path: 'action.message.conversationId',
        message: `there is no conversation ${id}: it may have been deleted`,
      },
    ]);
  return action;
}

export const noSchedule = (id: string) => new AlfredError('not_found', `There is no schedule ${id}.`);
