import type { Schemas } from '@qdrant/js-client-rest';

/**
 * Raise this number when points or vectors change their form: a new collection is then built and put behind the alias.
 */
export const format = 3;

/** The names of a point's two vectors. */
export const lexicalVector = 'lexical';
export const denseVector = 'dense';

/** How collections are created. After a change a new collection is built and put behind the alias. */
export type CollectionSettings = {
  /** Undefined: the server's default; the same for `replicas`. */
  shards: number | undefined;
  replicas: number | undefined;
  onDisk: boolean;
  quantization: 'none' | 'scalar' | 'binary';
};

/**
 * What tells collections apart; stored in their metadata.
 *
 * @property model that made the dense vectors; `''`: there are none
 */
export type CollectionKind = { format: number; model: string; settings: CollectionSettings };
/**
 * @property averageLength of passages in words: BM25 compares the length of a passage with it
 * @property dimensions    of the dense vectors, if there are any: a server refuses vectors of another length
 */
export type Collection = { name: string; kind: CollectionKind; averageLength: number; dimensions?: number | undefined };

export const isSameKind = (a: CollectionKind, b: CollectionKind) => kindKey(a) === kindKey(b);
export const kindKey = ({ format, model, settings: { shards, replicas, onDisk, quantization } }: CollectionKind) =>
  JSON.stringify([format, model, shards ?? null, replicas ?? null, onDisk, quantization]);

/** Payload fields that queries filter by. `is_tenant` makes Qdrant store the points of a tenant together. */
export const payloadIndexes: [string, Schemas['PayloadSchemaParams']][] = [
  ['tenant', { type: 'keyword', is_tenant: true }],
  ['document_id', { type: 'keyword' }],
  ['readers', { type: 'keyword' }],
  ['collection', { type: 'keyword' }],
  ['tags', { type: 'keyword' }],
  ['language', { type: 'keyword' }],
  ['updated', { type: 'integer', lookup: false, range: true }],
];

/** The request that creates a collection. */
export function creationRequest({
  kind,
  averageLength,
  dimensions,
}: Omit<Collection, 'name'>): Schemas['CreateCollection'] {
  const { shards, replicas, onDisk, quantization } = kind.settings;
  return {
    ...(dimensions === undefined
      ? {}
      : { vectors: { [denseVector]: { size: dimensions, distance: 'Cosine' as const, on_disk: onDisk } } }),
    // The server weighs words by their rarity (IDF), because it knows all passages.
    sparse_vectors: { [lexicalVector]: { modifier: 'idf', index: { on_disk: onDisk } } },
    // One HNSW graph for each tenant and no common one: every query is about one tenant.
    hnsw_config: { m: 0, payload_m: 16, on_disk: onDisk },
    on_disk_payload: onDisk,
    ...(quantization === 'scalar' ? { quantization_config: { scalar: { type: 'int8', always_ram: true } } } : {}),
    ...(quantization === 'binary' ? { quantization_config: { binary: { always_ram: true } } } : {}),
    ...(shards === undefined ? {} : { shard_number: shards }),
    ...(replicas === undefined ? {} : { replication_factor: replicas }),
    metadata: metadataOf({ kind, averageLength }),
  };
}

/** The metadata by which Alfred recognises its collections. */
export const metadataOf = ({ kind, averageLength }: Pick<Collection, 'kind' | 'averageLength'>) => ({
  made_by: madeBy,
  average_length: averageLength,
  ...kind,
});

const madeBy = 'alfred';

/** Whether a vector can be stored in a collection, or searched for in it. */
export const acceptsVector = (
  { kind, dimensions }: Collection,
  vector: Float32Array | undefined,
): vector is Float32Array =>
  vector !== undefined && kind.model !== '' && (dimensions === undefined || dimensions === vector.length);

/** @returns undefined when Alfred did not make the collection */
export function collectionFromInfo(name: string, { config }: Schemas['CollectionInfo']): Collection | undefined {
  const collection = collectionFromMetadata(name, config.metadata ?? {});
  const { [denseVector]: vectors } = (config.params.vectors ?? {}) as { [denseVector]?: Schemas['VectorParams'] };
  return collection && { ...collection, dimensions: vectors?.size };
}

/** @returns undefined when the metadata is not Alfred's */
export function collectionFromMetadata(name: string, metadata: Record<string, unknown>): Collection | undefined {
  const { made_by, average_length, format, model, settings } = metadata;
  if (made_by !== madeBy || typeof average_length !== 'number' || typeof format !== 'number') return undefined;
  if (typeof model !== 'string' || typeof settings !== 'object' || settings === null) return undefined;
  return { name, averageLength: average_length, kind: { format, model, settings: settings as CollectionSettings } };
}
