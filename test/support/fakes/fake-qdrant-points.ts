import { createHash } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';

type Sparse = { indices: number[]; values: number[] };
type Stored = {
  id: string;
  payload: Record<string, unknown>;
  dense: Map<string, number[]>;
  sparse: Map<string, Sparse>;
};
/** A request that a server refuses. */
export class QdrantRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
const refuse = (message: string): never => {
  throw new QdrantRefusal(400, message);
};

/** The points of one collection of the fake: exact search, and what a server refuses. */
export class FakePoints {
  readonly indexes = new Map<string, unknown>();
  private readonly points = new Map<string, Stored>();
  readonly config: Schemas['CreateCollection'];
  private readonly hasInference: boolean;
  constructor(config: Schemas['CreateCollection'], hasInference: boolean) {
    this.config = config;
    this.hasInference = hasInference;
  }

  upsert({ points }: Schemas['PointsList']) {
    const made = points.map(({ id, vector, payload }) => {
      const stored: Stored = { id: idOf(id), payload: { ...payload }, dense: new Map(), sparse: new Map() };
      if (Array.isArray(vector)) return refuse('Not existing vector name error: ');
      for (const [name, one] of Object.entries(vector as Record<string, Schemas['VectorInput']>)) {
        if (this.isSparse(name)) stored.sparse.set(name, this.sparseOf(one, false));
        else stored.dense.set(name, this.denseOf(name, one));
      }
      return stored;
    });
    for (const point of made) this.points.set(point.id, point);
  }

  delete({ filter }: Schemas['FilterSelector']) {
    for (const { id } of this.matching(filter)) this.points.delete(id);
  }

  retrieve(ids: Schemas['ExtendedPointId'][]) {
    return ids.flatMap((id) => this.points.get(idOf(id)) ?? []);
  }

  /** What a snapshot holds. */
  copy(): FakePoints {
    const copied = new FakePoints(this.config, this.hasInference);
    for (const [field, schema] of this.indexes) copied.indexes.set(field, schema);
    for (const [id, point] of this.points) copied.points.set(id, point);
    return copied;
  }

  /** A page of ids by id, and where the next one begins. */
  scroll({ filter, limit, offset }: Schemas['ScrollRequest']): { points: Stored[]; next: string | null } {
    const most = limit ?? 10;
    if (most < 1) refuse('limit: value 0 invalid, must be 1 or larger');
    const from = typeof offset === 'string' || typeof offset === 'number' ? idOf(offset) : '';
    const found = this.matching(filter as Schemas['Filter'])
      .sort(byId)
      .filter(({ id }) => id >= from);
    return { points: found.slice(0, most), next: found[most]?.id ?? null };
  }

  /** What a snapshot file holds. */
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
      points: (Omit<Stored, 'dense' | 'sparse'> & { dense: [string, number[]][]; sparse: [string, Sparse][] })[];
    };
    const made = new FakePoints(config, hasInference);
    for (const [field, schema] of indexes) made.indexes.set(field, schema);
    for (const point of points)
      made.points.set(point.id, { ...point, dense: new Map(point.dense), sparse: new Map(point.sparse) });
    return made;
  }

  count = (filter?: Schemas['CountRequest']['filter']) => this.matching(filter as Schemas['Filter']).length;

  query({ query, using, filter, limit, params }: Schemas['QueryRequest']): { point: Stored; score: number }[] {
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
    return scored.sort((a, b) => b.score - a.score || byId(a.point, b.point)).slice(0, most);
  }

  private bySparse(candidates: Stored[], name: string, query: Sparse, idf: unknown) {
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

  private byDense(candidates: Stored[], name: string, query: number[]) {
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

  private sparseOf(input: unknown, isQuery: boolean): Sparse {
    if (typeof input === 'object' && input !== null && 'text' in input)
      return this.bm25(input as Schemas['Document'], isQuery);
    const { indices, values } = input as Schemas['SparseVector'];
    if (indices.length !== values.length) refuse('Wrong input: indices and values must have the same length');
    if (new Set(indices).size !== indices.length) refuse('Wrong input: indices must be unique');
    if (indices.some((index) => !Number.isInteger(index) || index < 0 || index > 0xffffffff)) refuse('invalid index');
    return { indices, values };
  }

  /**
   * Its words have other numbers here than anywhere else: whoever mixes vectors made here with his own finds nothing.
   */
  private bm25({ text, model, options }: Schemas['Document'], isQuery: boolean): Sparse {
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

  private matching(filter: Schemas['Filter'] | undefined): Stored[] {
    return [...this.points.values()].filter((point) => this.fits(point, filter ?? {}));
  }

  private fits(point: Stored, { must, must_not, should, min_should }: Schemas['Filter']): boolean {
    if (should || min_should) refuse('the fake knows must and must_not');
    const list = (conditions: unknown) => [conditions ?? []].flat() as Schemas['Condition'][];
    return list(must).every((one) => this.holds(point, one)) && !list(must_not).some((one) => this.holds(point, one));
  }

  private holds(point: Stored, condition: Schemas['Condition']): boolean {
    if ('has_id' in condition) return condition.has_id.map(idOf).includes(point.id);
    if ('has_vector' in condition)
      return point.dense.has(condition.has_vector) || point.sparse.has(condition.has_vector);
    if (!('key' in condition)) return refuse('the fake knows no such condition');
    const { key, match, range } = condition;
    // As a server does in strict mode: without an index such a filter looks at every point.
    if (!this.indexes.has(key)) refuse(`Bad request: Index required but not found for "${key}"`);
    const values = [point.payload[key] ?? []].flat();
    const { gte, lte } = (range ?? {}) as { gte?: number | null; lte?: number | null };
    if (range) return values.some((value) => Number(value) >= (gte ?? -Infinity) && Number(value) <= (lte ?? Infinity));
    const wanted = match && ('any' in match ? match.any : 'value' in match ? [match.value] : undefined);
    if (!wanted) return refuse('the fake knows match by value and by any');
    return values.some((value) => (wanted as unknown[]).includes(value));
  }
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

function idOf(id: Schemas['ExtendedPointId']): string {
  if (typeof id === 'number' ? Number.isInteger(id) && id >= 0 : /^[0-9a-f-]{36}$/.test(id)) return String(id);
  return refuse(`${id} is not a valid point ID, valid values are either an unsigned integer or a UUID`);
}
