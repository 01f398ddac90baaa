import type { IncomingMessage } from 'node:http';
import type { Schemas } from '@qdrant/js-client-rest';
import { FakePoints, Refused } from './fake-qdrant-points.ts';
import { fileOf, readOpenApiTypes } from './openapi-types.ts';
import { startWireServer, type Reply } from './wire-server.ts';

const openApi = readOpenApiTypes(fileOf('@qdrant/js-client-rest', '../types/openapi/generated_schema.d.ts'));

type Options = {
  /** Whether it makes BM25 vectors; a server before 1.15 does not. */
  inference?: boolean;
  key?: string;
  /** Called before each request; what it throws is the answer, what it awaits is waited for. */
  before?: (operation: string, body: unknown) => void;
};
type Collection = { config: Schemas['CreateCollection']; points: FakePoints };
type Request = { collection: string; body: unknown };

/**
 * The part of Qdrant that Alfred uses, over HTTP: exact where a real one approximates. It refuses requests, and gives no
 * responses, that do not fit the types which the client generated from Qdrant's OpenAPI document.
 */
export async function startFakeQdrant(options: Options = {}) {
  const collections = new Map<string, Collection>();
  const aliases = new Map<string, string>();
  const operations: string[] = [];

  const named = (name: string): Collection => {
    const found = collections.get(aliases.get(name) ?? name);
    if (!found) throw new Refused(404, `Not found: Collection \`${name}\` doesn't exist!`);
    return found;
  };
  const updated = { operation_id: 1, status: 'completed' as const };
  const pointsOf = ({ collection }: Request) => named(collection).points;
  const answerOf = (points: FakePoints, request: Schemas['QueryRequest']): Schemas['QueryResponse'] => ({
    points: points.query(request).map(({ point: { id, payload }, score }) => ({
      ...{ id, version: 1, score },
      payload: picked(payload, request.with_payload),
    })),
  });

  const routes: Record<string, (request: Request) => unknown> = {
    'GET /collections': () => ({ collections: [...collections.keys()].map((name) => ({ name })) }),
    'GET /aliases': () => ({
      aliases: [...aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
    }),
    'POST /collections/aliases': ({ body }) => {
      for (const action of (body as Schemas['ChangeAliasesOperation']).actions) change(action);
      return true;
    },
    'GET /collections/{collection_name}': ({ collection }) => infoOf(named(collection)),
    'PUT /collections/{collection_name}': ({ collection, body }) => {
      if (collections.has(collection))
        throw new Refused(409, `Wrong input: Collection \`${collection}\` already exists!`);
      const config = body as Schemas['CreateCollection'];
      collections.set(collection, { config, points: new FakePoints(config, options.inference ?? true) });
      return true;
    },
    'DELETE /collections/{collection_name}': ({ collection }) => {
      for (const [alias, name] of aliases) if (name === collection) aliases.delete(alias);
      return collections.delete(collection);
    },
    'PUT /collections/{collection_name}/index': (request) => {
      const { field_name, field_schema } = request.body as Schemas['CreateFieldIndex'];
      pointsOf(request).indexes.set(field_name, field_schema);
      return updated;
    },
    'PUT /collections/{collection_name}/points': (request) => {
      pointsOf(request).upsert(request.body as Schemas['PointsList']);
      return updated;
    },
    'POST /collections/{collection_name}/points': (request) => {
      const { ids, with_payload } = request.body as Schemas['PointRequest'];
      const found = pointsOf(request).retrieve(ids);
      return found.map(({ id, payload }) => ({ id, payload: picked(payload, with_payload) }));
    },
    'POST /collections/{collection_name}/points/delete': (request) => {
      pointsOf(request).delete(request.body as Schemas['FilterSelector']);
      return updated;
    },
    'POST /collections/{collection_name}/points/count': (request) => ({
      count: pointsOf(request).count((request.body as Schemas['CountRequest']).filter),
    }),
    'POST /collections/{collection_name}/points/query': (request) =>
      answerOf(pointsOf(request), request.body as Schemas['QueryRequest']),
    'POST /collections/{collection_name}/points/query/batch': (request) =>
      (request.body as Schemas['QueryRequestBatch']).searches.map((one) => answerOf(pointsOf(request), one)),
  };

  const change = (action: Schemas['AliasOperations']) => {
    if ('delete_alias' in action) aliases.delete(action.delete_alias.alias_name);
    if (!('create_alias' in action)) return;
    const { alias_name, collection_name } = action.create_alias;
    if (collections.has(alias_name))
      throw new Refused(409, `Wrong input: Collection \`${alias_name}\` already exists!`);
    named(collection_name);
    aliases.set(alias_name, collection_name);
  };

  const answer = ({ method = '', url = '', headers }: IncomingMessage, text: string): unknown => {
    if (options.key !== undefined && headers['api-key'] !== options.key)
      throw new Refused(headers['api-key'] === undefined ? 401 : 403, 'Invalid API key or JWT');
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const [, first, name = '', ...rest] = pathname.split('/');
    const isNamed = first === 'collections' && name !== '' && name !== 'aliases';
    const template = isNamed ? ['/collections/{collection_name}', ...rest].join('/') : pathname;
    const operation = openApi.operation(method, template);
    const route = routes[`${method} ${template}`];
    if (!operation || !route) throw new Refused(404, `the fake knows no ${method} ${template}`);
    const body = text === '' ? undefined : (JSON.parse(text) as unknown);
    operations.push(operation.name);
    const wrong = operation.query(Object.fromEntries(searchParams)) ?? operation.request(body);
    if (wrong !== undefined) throw new Refused(422, `Format error in JSON body: ${operation.name}: ${wrong}`);
    options.before?.(operation.name, body);
    const response = { result: route({ collection: decodeURIComponent(name), body }), status: 'ok', time: 0.001 };
    const untrue = operation.response(response);
    if (untrue !== undefined) throw new Refused(500, `the fake would answer what Qdrant never does: ${untrue}`);
    return response;
  };

  const server = await startWireServer((request, text): Reply => {
    try {
      return { status: 200, json: answer(request, text) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { status: error.status, json: { status: { error: error.message }, time: 0 } };
    }
  });
  return { url: server.url, close: server.close, collections, aliases, operations };
}

function picked(payload: Record<string, unknown>, wanted: unknown): Record<string, unknown> | null {
  if (wanted === true) return payload;
  return Array.isArray(wanted)
    ? Object.fromEntries(Object.entries(payload).filter(([key]) => wanted.includes(key)))
    : null;
}

const infoOf = ({ config, points }: Collection): Schemas['CollectionInfo'] => ({
  status: 'green',
  optimizer_status: 'ok',
  segments_count: 1,
  points_count: points.count(),
  payload_schema: {},
  config: {
    params: { ...(config.vectors ? { vectors: config.vectors } : {}), sparse_vectors: config.sparse_vectors ?? null },
    hnsw_config: { m: 0, ef_construct: 100, full_scan_threshold: 10_000 },
    optimizer_config: {
      deleted_threshold: 0.2,
      vacuum_min_vector_number: 1_000,
      default_segment_number: 0,
      flush_interval_sec: 5,
    },
    metadata: config.metadata ?? null,
  },
});
