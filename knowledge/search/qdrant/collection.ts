import type { Schemas } from '@qdrant/js-client-rest';

/** Raise it when points or vectors are made otherwise: a new collection is then built behind the alias. */
export const format = 1;

/** Names of a point's two vectors. */
export const lexicalVector = 'lexical';
export const denseVector = 'dense';

/** How collections are made. A change makes a new collection, built behind the alias. */
export type CollectionSettings = {
  /** Undefined: as the server has it. */
  shards: number | undefined;
  replicas: number | undefined;
  onDisk: boolean;
  quantization: 'none' | 'scalar' | 'binary';
};

/** What a collection is for, kept in its metadata. `model` made its dense vectors; `''`: it has none. */
export type CollectionKind = { format: number; model: string; settings: CollectionSettings };
/**
 * @property averageLength of passages in words, by which BM25 tells long ones from short ones
 * @property dimensions    of its dense vectors, where it has any: a server refuses those of another length
 */
export type Collection = { name: string; kind: CollectionKind; averageLength: number; dimensions?: number | undefined };

export const isSameKind = (a: CollectionKind, b: CollectionKind) => kindKey(a) === kindKey(b);
export const kindKey = ({ format, model, settings: { shards, replicas, onDisk, quantization } }: CollectionKind) =>
  JSON.stringify([format, model, shards ?? null, replicas ?? null, onDisk, quantization]);

/** Payload that queries filter by. The tenant comes first: Qdrant keeps the points of one together. */
export const payloadIndexes: [string, Schemas['PayloadSchemaParams']][] = [
  ['tenant', { type: 'keyword', is_tenant: true }],
  ['document_id', { type: 'keyword' }],
  ['readers', { type: 'keyword' }],
  ['collection', { type: 'keyword' }],
  ['tags', { type: 'keyword' }],
  ['language', { type: 'keyword' }],
  ['updated', { type: 'integer', lookup: false, range: true }],
];

type Made = Omit<Collection, 'name'>;

export function creationRequest({ kind, averageLength, dimensions }: Made): Schemas['CreateCollection'] {
  const { shards, replicas, onDisk, quantization } = kind.settings;
  return {
    ...(dimensions === undefined
      ? {}
      : { vectors: { [denseVector]: { size: dimensions, distance: 'Cosine' as const, on_disk: onDisk } } }),
    // The server multiplies by how rare a word is, as it knows that best.
    sparse_vectors: { [lexicalVector]: { modifier: 'idf', index: { on_disk: onDisk } } },
    // A graph for each tenant and none for all, since no query is for all.
    hnsw_config: { m: 0, payload_m: 16, on_disk: onDisk },
    on_disk_payload: onDisk,
    ...(quantization === 'scalar' ? { quantization_config: { scalar: { type: 'int8', always_ram: true } } } : {}),
    ...(quantization === 'binary' ? { quantization_config: { binary: { always_ram: true } } } : {}),
    ...(shards === undefined ? {} : { shard_number: shards }),
    ...(replicas === undefined ? {} : { replication_factor: replicas }),
    metadata: metadataOf({ kind, averageLength }),
  };
}

export const metadataOf = ({ kind, averageLength }: Pick<Collection, 'kind' | 'averageLength'>) => ({
  made_by: madeBy,
  average_length: averageLength,
  ...kind,
});

const madeBy = 'alfred';

/** Whether a vector can stand in a collection, or be asked for there. */
export const acceptsVector = (
  { kind, dimensions }: Collection,
  vector: Float32Array | undefined,
): vector is Float32Array =>
  vector !== undefined && kind.model !== '' && (dimensions === undefined || dimensions === vector.length);

/** @returns undefined when the collection is none of ours */
export function collectionFromInfo(name: string, { config }: Schemas['CollectionInfo']): Collection | undefined {
  const found = collectionFromMetadata(name, config.metadata ?? {});
  const { [denseVector]: vectors } = (config.params.vectors ?? {}) as { [denseVector]?: Schemas['VectorParams'] };
  return found && { ...found, dimensions: vectors?.size };
}

/** @returns undefined when the metadata is not what Alfred keeps there */
export function collectionFromMetadata(name: string, metadata: Record<string, unknown>): Collection | undefined {
  const { made_by, average_length, format, model, settings } = metadata;
  if (made_by !== madeBy || typeof average_length !== 'number' || typeof format !== 'number') return undefined;
  if (typeof model !== 'string' || typeof settings !== 'object' || settings === null) return undefined;
  return { name, averageLength: average_length, kind: { format, model, settings: settings as CollectionSettings } };
}
