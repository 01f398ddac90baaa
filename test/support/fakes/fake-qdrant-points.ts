import { createHash, randomUUID } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import {
  idOf,
  matchesFilter,
  QdrantRefusal,
  refuse,
  type SparseVector,
  type StoredPoint,
} from './fake-qdrant-filter.ts';

/** The points of one collection, with exact search. Invalid requests are refused as by a real server. */
export class FakePoints {
  readonly indexes = new Map<string, unknown>();
  private readonly points = new Map<string, StoredPoint>();
  /** A server orders equal scores by its segments: another order in each collection and each restored one. */
  private readonly tieOrder = randomUUID();
  readonly config: Schemas['CreateCollection'];
  private readonly hasInference: boolean;
  constructor(config: Schemas['CreateCollection'], hasInference: boolean) {
    this.config = config;
    this.hasInference = hasInference;
  }

  upsert({ points }: Schemas['PointsList']) {
    const upserted = points.map(({ id, vector, payload }) => {
      const stored: StoredPoint = { id: idOf(id), payload: { ...payload }, dense: new Map(), sparse: new Map() };
      if (Array.isArray(vector)) return refuse('Not existing vector name error: ');
      for (const [name, one] of Object.entries(vector as Record<string, Schemas['VectorInput']>)) {
        if (this.isSparse(name)) stored.sparse.set(name, this.sparseOf(one, false));
        else stored.dense.set(name, this.denseOf(name, one));
      }
      return stored;
    });
    for (const point of upserted) this.points.set(point.id, point);
  }

  delete({ filter }: Schemas['FilterSelector']) {
    for (const { id } of this.matching(filter)) this.points.delete(id);
  }

  retrieve(ids: Schemas['ExtendedPointId'][]) {
    return ids.flatMap((id) => this.points.get(idOf(id)) ?? []);
  }

  /** A copy, for a snapshot. */
  copy(): FakePoints {
    const copied = new FakePoints(this.config, this.hasInference);
    for (const [field, schema] of this.indexes) copied.indexes.set(field, schema);
    for (const [id, point] of this.points) copied.points.set(id, point);
    return copied;
  }

  /** One page of points, ordered by id, and the id that the next page starts with. */
  scroll({ filter, limit, offset }: Schemas['ScrollRequest']): { points: StoredPoint[]; next: string | null } {
    const most = limit ?? 10;
    if (most < 1) refuse('limit: value 0 invalid, must be 1 or larger');
    const from = typeof offset === 'string' || typeof offset === 'number' ? idOf(offset) : '';
    const found = this.matching(filter as Schemas['Filter'])
      .sort(byId)
      .filter(({ id }) => id >= from);
    return { points: found.slice(0, most), next: found[most]?.id ?? null };
  }

  /** The content of a snapshot file. */
  packed(): string {
    const points = [...this.points.values()].map((point) => ({
      ...point,
      dense: [...point.dense],
      sparse: [...point.sparse],
    }));
    return JSON.stringify({ config: this.config, indexes: [...this.indexes], points });
  }

  static unpacked(text: string, hasInference: boolean): FakePoints {
    const { config, indexes, points } = JSON.parse(text) as {
      config: Schemas['CreateCollection'];
      indexes: [string, unknown][];
      points: (Omit<StoredPoint, 'dense' | 'sparse'> & {
        dense: [string, number[]][];
        sparse: [string, SparseVector][];
      })[];
    };
    const unpacked = new FakePoints(config, hasInference);
    for (const [field, schema] of indexes) unpacked.indexes.set(field, schema);
    for (const point of points)
      unpacked.points.set(point.id, { ...point, dense: new Map(point.dense), sparse: new Map(point.sparse) });
    return unpacked;
  }

  count = (filter?: Schemas['CountRequest']['filter']) => this.matching(filter as Schemas['Filter']).length;

  query({ query, using, filter, limit, params }: Schemas['QueryRequest']): { point: StoredPoint; score: number }[] {
    const most = limit ?? 10;
    if (most < 1) refuse('limit: value 0 invalid, must be 1 or larger');
    const candidates = this.matching(filter as Schemas['Filter']);
    if (query === undefined || query === null)
      return candidates
        .sort(byId)
        .slice(0, most)
        .map((point) => ({ point, score: 0 }));
    const name = using ?? '';
    const scored = this.isSparse(name)
      ? this.bySparse(candidates, name, this.sparseOf(query, true), params?.idf)
      : this.byDense(candidates, name, this.denseOf(name, query));
    return scored.sort((a, b) => b.score - a.score || this.byChance(a.point, b.point)).slice(0, most);
  }

  private bySparse(candidates: StoredPoint[], name: string, query: SparseVector, idf: unknown) {
    const corpus = (idf as { corpus?: Schemas['Filter'] } | undefined)?.corpus;
    const all = this.matching(corpus).flatMap(({ sparse }) => sparse.get(name) ?? []);
    const rarity = query.indices.map((index) => {
      const holding = all.filter(({ indices }) => indices.includes(index)).length;
      return this.config.sparse_vectors?.[name]?.modifier === 'idf'
        ? Math.log(1 + (all.length - holding + 0.5) / (holding + 0.5))
        : 1;
    });
    return candidates.flatMap((point) => {
      const { indices = [], values = [] } = point.sparse.get(name) ?? {};
      if (!query.indices.some((index) => indices.includes(index))) return [];
      const shares = query.indices.map((index, i) => {
        const at = indices.indexOf(index);
        return at < 0 ? 0 : (query.values[i] ?? 0) * (rarity[i] ?? 0) * (values[at] ?? 0);
      });
      return [{ point, score: shares.reduce((sum, share) => sum + share, 0) }];
    });
  }

  private byDense(candidates: StoredPoint[], name: string, query: number[]) {
    return candidates.flatMap((point) => {
      const vector = point.dense.get(name);
      return vector ? [{ point, score: vector.reduce((sum, number, i) => sum + number * (query[i] ?? 0), 0) }] : [];
    });
  }

  private isSparse = (name: string) => Object.hasOwn(this.config.sparse_vectors ?? {}, name);

  private denseOf(name: string, input: unknown): number[] {
    const vectors = (this.config.vectors ?? {}) as Record<string, Schemas['VectorParams']>;
    const size = vectors[name]?.size ?? refuse(`Wrong input: Not existing vector name error: ${name}`);
    if (!Array.isArray(input)) return refuse(`Wrong input: ${name} is a dense vector`);
    const numbers = input as number[];
    if (numbers.length !== size)
      refuse(`Wrong input: Vector dimension error: expected dim: ${size}, got ${numbers.length}`);
    const length = Math.hypot(...numbers) || 1;
    return numbers.map((number) => number / length);
  }

  private sparseOf(input: unknown, isQuery: boolean): SparseVector {
    if (typeof input === 'object' && input !== null && 'text' in input)
      return this.bm25(input as Schemas['Document'], isQuery);
    const { indices, values } = input as Schemas['SparseVector'];
    if (indices.length !== values.length) refuse('Wrong input: indices and values must have the same length');
    if (new Set(indices).size !== indices.length) refuse('Wrong input: indices must be unique');
    if (indices.some((index) => !Number.isInteger(index) || index < 0 || index > 0xffffffff)) refuse('invalid index');
    return { indices, values };
  }

  /** Word indices differ from all other implementations on purpose: a query that mixes the two finds nothing. */
  private bm25({ text, model, options }: Schemas['Document'], isQuery: boolean): SparseVector {
    if (!this.hasInference)
      throw new QdrantRefusal(500, 'Service internal error: InferenceService is not initialized.');
    if (model.toLowerCase() !== 'qdrant/bm25') refuse(`Unsupported model: ${model}`);
    const { k = 1.2, b = 0.75, avg_len = 256, tokenizer, stemmer, ...rest } = (options ?? {}) as Schemas['Bm25Config'];
    const isPlain = tokenizer === 'whitespace' && stemmer?.type === 'none' && rest.lowercase === false;
    if (!isPlain || JSON.stringify(rest.stopwords) !== '{"languages":[],"custom":[]}')
      refuse('the fake knows BM25 of words that are cut and stemmed already, and nothing else');
    if (!(avg_len > 0)) refuse('BM25 avg_doc_len must be finite and > 0');
    const words = text.split(/\s+/).filter(Boolean);
    const unique = [...new Set(words)];
    return {
      indices: unique.map((word) => createHash('sha256').update(word).digest().readUInt32LE(0)),
      values: unique.map((word) => {
        const times = words.filter((one) => one === word).length;
        return isQuery ? 1 : (times * (k + 1)) / (times + k * (1 - b + (b * words.length) / avg_len));
      }),
    };
  }

  private byChance(a: StoredPoint, b: StoredPoint) {
    const place = ({ id }: StoredPoint) => createHash('sha256').update(`${this.tieOrder} ${id}`).digest('hex');
    return place(a) < place(b) ? -1 : 1;
  }

  private matching(filter: Schemas['Filter'] | undefined): StoredPoint[] {
    return [...this.points.values()].filter((point) => matchesFilter(point, filter ?? {}, this.indexes));
  }
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
