import { z } from 'zod';
import type { SourceRow } from '../../contract/ports/index.ts';
import { reconcileSync } from '../../contract/rules/ingestion-reconciliation.ts';
import { AlfredError } from '../../contract/errors.ts';
import { sourceWorkflowId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/references.ts';
import {
  isAllowedPrefix,
  Source,
  SourceChange,
  SourceDeleteQuery,
  SourceList,
  SourceListQuery,
  SourceRequest,
} from '../../contract/sources.ts';
import { startGraceMs } from '../../contract/rules/task-reconciliation.ts';
import { inTime } from '../../runtime/in-time.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { sourcePath, type Views } from '../links.ts';
import { bodyProblems, IdempotencyHeaders, IdParams, json, location, problems } from '../http/responses.ts';
import type { SourceClock } from '../../adapters/temporal/source-schedules.ts';
import { temporalDeadlineMs } from '../../adapters/temporal/start-workflow.ts';

/** A reader waits no longer than this for Temporal's word. */
const describeDeadlineMs = 500;

type Deps = Pick<ApiDeps, 'client' | 'config' | 'sources' | 'workflows'> & { sourceClock: SourceClock; views: Views };

export const sourceRoutes =
  ({ client, config, sources, workflows, sourceClock, views }: Deps) =>
  async (app: Api) => {
    const start = ({ tenant, subject }: Scope, sourceId: string) =>
      inTime(client, temporalDeadlineMs, () => workflows.syncSource({ tenant, subject, sourceId }));

    app.route({
      method: 'POST',
      url: '/v1/sources',
      schema: {
        operationId: 'createSource',
        tags: ['documents'],
        summary: 'Have documents read from somewhere, now and again and again',
        description:
          'Pages are asked for politely and within robots.txt; only what has changed is read again, and what has gone is removed. Follow the source to see how far its sync is. After a 503 repeat the request with the same `Idempotency-Key`.',
        headers: IdempotencyHeaders,
        body: SourceRequest,
        response: {
          201: json('Its first sync begins', Source, location('the source')),
          ...problems(409, ...bodyProblems),
        },
      },
      handler: async ({ scope, body, headers }, reply) => {
        if (body.kind === 's3' && !isAllowedPrefix(config.ALFRED_S3_PREFIXES, body.address))
          throw new AlfredError(
            'source_unconfigured',
            'Sources may not read this bucket. Who runs Alfred names what they may in ALFRED_S3_PREFIXES.',
          );
        const idempotencyKey = headers['idempotency-key'];
        const { isNew, ...row } = await sources.create(scope, body, { idempotencyKey });
        try {
          if (row.everyS !== null) await sourceClock.create({ ...scopeOf(scope), sourceId: row.id }, row.everyS);
          if (isNew || isUnderWay(row)) await start(scope, row.id);
        } catch (error) {
          // With a key the repeat goes on with it; without one it would be in the way.
          if (idempotencyKey === undefined) {
            await sourceClock.delete(row.id).catch(() => undefined);
            await sources.discard(scope, row.id);
          }
          throw error;
        }
        return reply.code(201).header('location', sourcePath(row.id)).send(views.source(row));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/sources',
      schema: {
        operationId: 'listSources',
        tags: ['documents'],
        summary: 'List sources, newest first',
        querystring: SourceListQuery,
        response: { 200: json('One page', SourceList), ...problems(422) },
      },
      handler: async ({ scope, query }, reply) => {
        const page = await sources.list(scope, query);
        return reply.send({ sources: page.sources.map(views.source), nextCursor: page.nextCursor });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'getSource',
        tags: ['documents'],
        summary: 'Read a source: how its last sync stands, and what could not be read',
        params: IdParams,
        response: { 200: json('The source as it stands', Source), ...problems(404) },
      },
      handler: async ({ scope, params: { id } }, reply) => reply.send(views.source(await truth(scope, id))),
    });

    app.route({
      method: 'PATCH',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'changeSource',
        tags: ['documents'],
        summary: 'Change when a source is read, and where its documents go and who may read them',
        description:
          'What is left out stays. Readers and tags hold for the documents that it brought when the answer comes; they move to another collection, or follow with the next sync where one of their name is there.',
        params: IdParams,
        body: SourceChange,
        response: { 200: json('The changed source', Source), ...problems(404, 409, ...bodyProblems) },
      },
      handler: async ({ scope, params: { id }, body }, reply) => {
        const row = await sources.change(scope, id, body, async ({ everyS }) => {
          if (body.everyS !== undefined) await sourceClock.put({ ...scopeOf(scope), sourceId: id }, everyS);
        });
        if (!row) throw noSource(id);
        return reply.send(views.source(row));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/sources/:id/sync',
      schema: {
        operationId: 'syncSource',
        tags: ['documents'],
        summary: 'Read a source again now; while a sync is under way nothing changes',
        params: IdParams,
        response: { 202: json('A sync is under way', Source), ...problems(400, 404, 413, 415) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await sources.request({ ...scopeOf(scope), sourceId: id }))) throw noSource(id);
        await start(scope, id);
        return reply.code(202).send(views.source(await found(scope, id)));
      },
    });

    app.route({
      method: 'DELETE',
      url: '/v1/sources/:id',
      schema: {
        operationId: 'deleteSource',
        tags: ['documents'],
        summary: 'Remove a source; the documents that it brought are removed in the background, or kept',
        params: IdParams,
        querystring: SourceDeleteQuery,
        response: { 204: z.null().describe('Removed'), ...problems(400, 404, 413, 415, 422) },
      },
      handler: async ({ scope, params: { id }, query }, reply) => {
        if (!(await sources.delete(scope, id, query.documents, () => sourceClock.delete(id)))) throw noSource(id);
        if (query.documents === 'remove') await start(scope, id);
        return reply.code(204).send(null);
      },
    });

    const found = async (scope: Scope, id: string): Promise<SourceRow> => {
      const row = await sources.get(scope, id);
      if (!row) throw noSource(id);
      return row;
    };

    /** The row, brought in line with its workflow: somebody may have terminated that. */
    const truth = async (scope: Scope, id: string): Promise<SourceRow> => {
      const row = await found(scope, id);
      if (!isUnderWay(row) || Date.now() - Date.parse(row.sync.requestedAt) < startGraceMs) return row;
      const status = await ask(id);
      const end = status && reconcileSync(status);
      if (!end) return row;
      await sources.endLost({ ...scopeOf(scope), sourceId: id }, end, { olderThanMs: startGraceMs });
      return found(scope, id);
    };

    /** What Temporal says; undefined when it does not say anything soon. */
    const ask = async (id: string) => {
      try {
        return (await inTime(client, describeDeadlineMs, () => workflows.describe(sourceWorkflowId(id)))).status;
      } catch {
        return undefined;
      }
    };
  };

const scopeOf = ({ tenant, subject }: Scope) => ({ tenant, subject });
const isUnderWay = ({ sync }: SourceRow) => sync.state === 'queued' || sync.state === 'running';
const noSource = (id: string) => new AlfredError('not_found', `There is no source ${id}.`);
