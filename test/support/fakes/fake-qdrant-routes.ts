import type { Schemas } from '@qdrant/js-client-rest';
import { QdrantRefusal } from './fake-qdrant-filter.ts';
import { FakePoints } from './fake-qdrant-points.ts';
import { FakeSnapshots } from './fake-qdrant-snapshots.ts';

/** What the fake server stores. */
export type QdrantState = {
  collections: Map<string, Collection>;
  /** Collection names by alias. */
  aliases: Map<string, string>;
  snapshots: FakeSnapshots;
  hasInference: boolean;
  nodes: number;
};
type Collection = { config: Schemas['CreateCollection']; points: FakePoints };
type QdrantRequest = {
  collection: string;
  snapshot: string;
  body: unknown;
  query: URLSearchParams;
  form: { text: string; contentType: string | undefined };
};

/** The operations of the fake, by method and path template. */
export function createQdrantRoutes({
  collections,
  aliases,
  snapshots,
  hasInference,
  nodes,
}: QdrantState): Record<string, (request: QdrantRequest) => unknown> {
  const collectionOf = (name: string): Collection => {
    const found = collections.get(aliases.get(name) ?? name);
    if (!found) throw new QdrantRefusal(404, `Not found: Collection \`${name}\` doesn't exist!`);
    return found;
  };
  const updated = { operation_id: 1, status: 'completed' as const };
  const pointsOf = ({ collection }: QdrantRequest) => collectionOf(collection).points;
  const answerOf = (points: FakePoints, request: Schemas['QueryRequest']): Schemas['QueryResponse'] => ({
    points: points.query(request).map(({ point: { id, payload }, score }) => ({
      id,
      version: 1,
      score,
      payload: picked(payload, request.with_payload),
    })),
  });

  const change = (action: Schemas['AliasOperations']) => {
    if ('delete_alias' in action) aliases.delete(action.delete_alias.alias_name);
    if (!('create_alias' in action)) return;
    const { alias_name, collection_name } = action.create_alias;
    if (collections.has(alias_name))
      throw new QdrantRefusal(409, `Wrong input: Collection \`${alias_name}\` already exists!`);
    collectionOf(collection_name);
    aliases.set(alias_name, collection_name);
  };

  return {
    'GET /collections': () => ({ collections: [...collections.keys()].map((name) => ({ name })) }),
    'GET /aliases': () => ({
      aliases: [...aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
    }),
    'GET /cluster': () => clusterOf(nodes),
    'POST /collections/aliases': ({ body }) => {
      // All actions or none.
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
    'GET /collections/{collection_name}': ({ collection }) => infoOf(collectionOf(collection)),
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
      const { config } = collectionOf(collection);
      config.metadata = { ...config.metadata, ...(body as Schemas['UpdateCollection']).metadata };
      return true;
    },
    'GET /collections/{collection_name}/snapshots': ({ collection }) => {
      collectionOf(collection);
      return snapshots.list(collection);
    },
    'POST /collections/{collection_name}/snapshots': ({ collection }) =>
      snapshots.create(collection, collectionOf(collection).points),
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
}

/** A response that is a file, not JSON. */
export class FileResponse {
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
    status: 'enabled',
    peer_id: 1,
    peers,
    raft_info,
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
