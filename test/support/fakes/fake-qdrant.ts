import type { IncomingMessage } from 'node:http';
import type { Schemas } from '@qdrant/js-client-rest';
import { FakePoints, QdrantRefusal } from './fake-qdrant-points.ts';
import { FakeSnapshots } from './fake-qdrant-snapshots.ts';
import { fileOf, readOpenApiTypes } from './openapi-types.ts';
import { startWireServer, type Reply } from './wire-server.ts';

const openApi = readOpenApiTypes(fileOf('@qdrant/js-client-rest', '../types/openapi/generated_schema.d.ts'));

type Options = {
  /** Whether it makes BM25 vectors; a server before 1.15 does not. */
  inference?: boolean;
  key?: string;
  /** Of its cluster; one is no cluster. */
  nodes?: number;
  /** Called before each request; what it throws is the answer, what it awaits is waited for. */
  before?: (operation: string, body: unknown) => void;
};
type Collection = { config: Schemas['CreateCollection']; points: FakePoints };
type Request = {
  collection: string;
  snapshot: string;
  body: unknown;
  query: URLSearchParams;
  form: { text: string; contentType: string | undefined };
};

/**
 * The part of Qdrant that Alfred uses, over HTTP: exact where a real one approximates. It refuses requests, and gives
 * no responses, that do not fit the types which the client generated from Qdrant's OpenAPI document.
 */
export async function startFakeQdrant(options: Options = {}) {
  const collections = new Map<string, Collection>();
  const aliases = new Map<string, string>();
  const snapshots = new FakeSnapshots();
  const hasInference = options.inference ?? true;
  const operations: string[] = [];

  const named = (name: string): Collection => {
    const found = collections.get(aliases.get(name) ?? name);
    if (!found) throw new QdrantRefusal(404, `Not found: Collection \`${name}\` doesn't exist!`);
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
    'GET /cluster': () => clusterOf(options.nodes ?? 1),
    'POST /collections/aliases': ({ body }) => {
      // All of them or none.
      const before = [...aliases];
      try {
        for (const action of (body as Schemas['ChangeAliasesOperation']).actions) change(action);
      } catch (error) {
        aliases.clear();
        for (const [name, collection] of before) aliases.set(name, collection);
        throw error;
      }
      return true;
    },
    'GET /collections/{collection_name}': ({ collection }) => infoOf(named(collection)),
    'PUT /collections/{collection_name}': ({ collection, body }) => {
      if (collections.has(collection))
        throw new QdrantRefusal(409, `Wrong input: Collection \`${collection}\` already exists!`);
      const config = body as Schemas['CreateCollection'];
      collections.set(collection, { config, points: new FakePoints(config, hasInference) });
      return true;
    },
    'DELETE /collections/{collection_name}': ({ collection }) => {
      for (const [alias, name] of aliases) if (name === collection) aliases.delete(alias);
      snapshots.forget(collection);
      return collections.delete(collection);
    },
    'PATCH /collections/{collection_name}': ({ collection, body }) => {
      const { config } = named(collection);
      config.metadata = { ...config.metadata, ...(body as Schemas['UpdateCollection']).metadata };
      return true;
    },
    'GET /collections/{collection_name}/snapshots': ({ collection }) => {
      named(collection);
      return snapshots.list(collection);
    },
    'POST /collections/{collection_name}/snapshots': ({ collection }) =>
      snapshots.create(collection, named(collection).points),
    'GET /collections/{collection_name}/snapshots/{snapshot_name}': ({ collection, snapshot }) =>
      new FileResponse(snapshots.file(collection, snapshot)),
    'DELETE /collections/{collection_name}/snapshots/{snapshot_name}': ({ collection, snapshot }) =>
      snapshots.delete(collection, snapshot),
    'POST /collections/{collection_name}/snapshots/upload': ({ collection, query, form: { text, contentType } }) => {
      const points = FakeSnapshots.recovered(text, { contentType, checksum: query.get('checksum'), hasInference });
      const existing = collections.get(collection);
      if (existing && JSON.stringify(existing.config.vectors) !== JSON.stringify(points.config.vectors))
        throw new QdrantRefusal(400, 'Wrong input: Snapshot is not compatible with existing collection');
      collections.set(collection, { config: existing?.config ?? points.config, points });
      return true;
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
    'POST /collections/{collection_name}/points/scroll': (request) => {
      const body = request.body as Schemas['ScrollRequest'];
      const { points, next } = pointsOf(request).scroll(body);
      return {
        points: points.map(({ id, payload }) => ({ id, payload: picked(payload, body.with_payload) })),
        next_page_offset: next,
      };
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
      throw new QdrantRefusal(409, `Wrong input: Collection \`${alias_name}\` already exists!`);
    named(collection_name);
    aliases.set(alias_name, collection_name);
  };

  const answer = ({ method = '', url = '', headers }: IncomingMessage, text: string): unknown => {
    if (options.key !== undefined && headers['api-key'] !== options.key)
      throw new QdrantRefusal(headers['api-key'] === undefined ? 401 : 403, 'Invalid API key or JWT');
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const [, first, name = '', ...rest] = pathname.split('/');
    const isNamed = first === 'collections' && name !== '' && name !== 'aliases';
    const snapshot = rest[0] === 'snapshots' && rest[1] !== 'upload' ? (rest[1] ?? '') : '';
    const tail = snapshot ? ['snapshots', '{snapshot_name}'] : rest;
    const template = isNamed ? ['/collections/{collection_name}', ...tail].join('/') : pathname;
    const operation = openApi.operation(method, template);
    const route = routes[`${method} ${template}`];
    if (!operation || !route) throw new QdrantRefusal(404, `the fake knows no ${method} ${template}`);
    const contentType = headers['content-type'];
    const isForm = contentType?.startsWith('multipart/') === true;
    const body = text === '' || isForm ? undefined : (JSON.parse(text) as unknown);
    operations.push(operation.name);
    const wrong = operation.query(Object.fromEntries(searchParams)) ?? operation.request(body);
    if (wrong !== undefined) throw new QdrantRefusal(422, `Format error in JSON body: ${operation.name}: ${wrong}`);
    options.before?.(operation.name, body);
    const form = { text: isForm ? text : '', contentType };
    const given = { collection: decodeURIComponent(name), snapshot: decodeURIComponent(snapshot), body };
    const result = route({ ...given, query: searchParams, form });
    if (result instanceof FileResponse) return result;
    const response = { result, status: 'ok', time: 0.001 };
    const fault = operation.response(response);
    if (fault !== undefined) throw new QdrantRefusal(500, `the fake would answer what Qdrant never does: ${fault}`);
    return response;
  };

  const server = await startWireServer((request, text): Reply => {
    try {
      const answered = answer(request, text);
      if (!(answered instanceof FileResponse)) return { status: 200, json: answered };
      const headers = { 'content-type': 'application/octet-stream' };
      return { frames: [answered.text], wire: { headers, chunkBytes: 10_000 } };
    } catch (error) {
      if (!(error instanceof QdrantRefusal)) throw error;
      return { status: error.status, json: { status: { error: error.message }, time: 0 } };
    }
  });
  return { url: server.url, close: server.close, collections, aliases, snapshots, operations };
}

/** A file instead of a document. */
class FileResponse {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function clusterOf(nodes: number): Schemas['ClusterStatus'] {
  if (nodes === 1) return { status: 'disabled' };
  const peers = Object.fromEntries(
    Array.from({ length: nodes }, (_, i) => [i + 1, { uri: `http://node-${i + 1}:6335` }]),
  );
  const raft_info = { term: 1, commit: 1, pending_operations: 0, leader: 1, role: 'Leader' as const, is_voter: true };
  return {
    ...{ status: 'enabled', peer_id: 1, peers, raft_info },
    consensus_thread_status: { consensus_thread_status: 'working' as const, last_update: '2026-01-01T00:00:00Z' },
    message_send_failures: {},
  };
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
