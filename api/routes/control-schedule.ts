import { z } from 'zod';
import type { ScheduleRow } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { Schedule } from '../../contract/schedule.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import type { Views } from '../links.ts';
import { bodyProblems, ScheduleParams, json, problems } from '../http/responses.ts';
import { noSchedule } from './schedules.ts';

type Deps = Pick<ApiDeps, 'control'> & { views: Views };

const pauses = [
  { verb: 'pause', paused: true, summary: 'Pause a schedule; runs under way go on' },
  { verb: 'resume', paused: false, summary: 'Resume a schedule; one that was deleted in Temporal is made again' },
] as const;

export const controlScheduleRoutes =
  ({ control, views }: Deps) =>
  async (app: Api) => {
    const show = async (scope: Scope, row: ScheduleRow) =>
      views.schedule(scope, row, await control.schedules.describe(row.id));

    app.route({
      method: 'DELETE',
      url: '/v1/schedules/:id',
      schema: {
        operationId: 'deleteSchedule',
        tags: ['schedules'],
        summary: 'Delete a schedule; runs under way go on',
        params: ScheduleParams,
        response: { 204: z.null().describe('Deleted'), ...problems('not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await control.schedules.delete(reachOf(scope, 'delete', 'schedule'), id))) throw noSchedule(id);
        return reply.code(204).send(null);
      },
    });

    for (const { verb, paused, summary } of pauses)
      app.route({
        method: 'POST',
        url: `/v1/schedules/:id/${verb}`,
        schema: {
          operationId: `${verb}Schedule`,
          tags: ['schedules'],
          summary,
          description: 'Safe to repeat.',
          params: ScheduleParams,
          response: { 200: json('The schedule', Schedule), ...problems('not_found', ...bodyProblems) },
        },
        handler: async ({ scope, params }, reply) => {
          const row = await control.schedules.change(reachOf(scope, 'pause', 'schedule'), params.id, { paused });
          if (!row) throw noSchedule(params.id);
          return reply.send(await show(scope, row));
        },
      });

    app.route({
      method: 'POST',
      url: '/v1/schedules/:id/run',
      schema: {
        operationId: 'runSchedule',
        tags: ['schedules'],
        summary: 'Run a schedule now',
        description:
          'Also while it is paused. Its overlap policy decides: with `skip` nothing happens while a run is under way. Two within one second are one run.',
        params: ScheduleParams,
        response: {
          202: json('A run is about to begin', Schedule),
          ...problems('not_found', 'schedule_missing', ...bodyProblems),
        },
      },
      handler: async ({ scope, params }, reply) => {
        const row = await control.schedules.trigger(scope, params.id);
        if (!row) throw noSchedule(params.id);
        return reply.code(202).send(await show(scope, row));
      },
    });
  };
