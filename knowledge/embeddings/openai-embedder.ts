import { createHash } from 'node:crypto';
import OpenAI, { APIError } from 'openai';
import { AlfredError } from '../../contract/errors.ts';
import { characterBoundary } from '../../contract/rules/character-boundary.ts';
import type { Embedder, PassageText } from '../../contract/ports/index.ts';
import { providerError } from '../../adapters/outbound/provider-errors.ts';
import { noPrefixes, type Prefixes } from './prefixes.ts';
import { weightedMean } from './token-windows.ts';

type Options = {
  model: string;
  apiKey: string | undefined;
  baseUrl: string | undefined;
  /** Put before every query and every passage. */
  prefixes?: Prefixes;
  queryTimeoutMs?: number;
};

/** Texts in one request. The API allows more, but a slow server would time out. */
const batchSize = 32;

/** Texts are not split into parts below this length: a server that refuses so little has another reason. */
const minPartCharacters = 200;

/** A user waits for a query, and a search also works without its vector. Documents can wait for a slow server. */
const timeoutsMs = { query: 5_000, passages: 60_000 };

/**
 * Embeds texts with any server that has OpenAI's embeddings API. The SDK's own retries are
 * off: Temporal retries documents, and a search continues without the query's vector.
 *
 * A request that is too large is split. A single text that is too large is split into parts, and the weighted
 * mean of their vectors is used. Without that, one such text would keep all others from being embedded.
 */
export function createOpenAiEmbedder(options: Options): Embedder {
  const { model, apiKey, baseUrl, prefixes = noPrefixes, queryTimeoutMs = timeoutsMs.query } = options;
  const client = new OpenAI({
    // The SDK requires a key, also for servers that ignore it.
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? 'https://api.openai.com/v1',
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
  });

  const request = async (input: string[], options: RequestOptions): Promise<Float32Array[]> => {
    try {
      const { data } = await client.embeddings.create({ model, input, encoding_format: 'float' }, options);
      const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => unitVector(embedding, model));
      if (vectors.length === input.length) return vectors;
      throw new AlfredError('model_unavailable', `${model} gave ${vectors.length} vectors for ${input.length} texts.`);
    } catch (error) {
      if (!(error instanceof APIError) || options.signal.aborted) throw error;
      const { status, type, code, headers, message } = error as APIError;
      throw providerError(
        'The embeddings server',
        { status, type: type ?? undefined, code: code ?? undefined, headers, message },
        error,
      );
    }
  };

  const embed = async (prefix: string, passages: PassageText[], options: RequestOptions): Promise<Float32Array[]> => {
    try {
      return await request(
        passages.map((passage) => prefix + embeddedText(passage)),
        options,
      );
    } catch (error) {
      const [first] = passages;
      if (!first || !isTooLarge(error)) throw error;
      if (passages.length > 1) {
        const middle = passages.length >> 1;
        return [
          ...(await embed(prefix, passages.slice(0, middle), options)),
          ...(await embed(prefix, passages.slice(middle), options)),
        ];
      }
      const parts = splitInHalf(first.text);
      if (!parts) throw error;
      const vectors: { vector: Float32Array; weight: number }[] = [];
      for (const text of parts)
        for (const vector of await embed(prefix, [{ ...first, text }], options))
          vectors.push({ vector, weight: text.length });
      return [weightedMean(vectors)];
    }
  };

  return {
    model: nameOf(model, prefixes),
    evidence: undefined,
    async embedPassages(passages, signal) {
      const vectors: Float32Array[] = [];
      for (let from = 0; from < passages.length; from += batchSize)
        vectors.push(
          ...(await embed(prefixes.passage, passages.slice(from, from + batchSize), {
            signal,
            timeout: timeoutsMs.passages,
          })),
        );
      return vectors.map((vector) => ({ vector, sentences: undefined }));
    },
    async embedQuery(text, signal) {
      const [vector] = await embed(prefixes.query, [{ headings: '', text }], { signal, timeout: queryTimeoutMs });
      if (!vector) throw new AlfredError('model_unavailable', `${model} gave no vector.`);
      return vector;
    },
    close: async () => {},
  };
}

/** Vectors that were made with other prefixes are not comparable, so the prefixes are part of the name. */
const nameOf = (model: string, prefixes: Prefixes): string => {
  const hash = createHash('sha256').update(JSON.stringify([prefixes.query, prefixes.passage]));
  return `openai:${model}${prefixes.query || prefixes.passage ? `@${hash.digest('hex').slice(0, 8)}` : ''}`;
};

/** `timeout` in milliseconds for each request. */
type RequestOptions = { signal: AbortSignal; timeout: number };

const embeddedText = ({ headings, text }: PassageText) => (headings ? `${headings}\n${text}` : text);

/** Whether the server refused the input as too large. llama.cpp answers 500, other servers 400, 413 or 422. */
function isTooLarge(error: unknown): boolean {
  const { status, message = '' } = ((error as Error).cause ?? {}) as { status?: number; message?: string };
  return [400, 413, 422].includes(status ?? 0) || (status === 500 && /too (large|long)/i.test(message));
}

/** Splits a text near its middle, between words if possible. @returns undefined when it is too short to be split */
function splitInHalf(text: string): [string, string] | undefined {
  if (text.length < 2 * minPartCharacters) return undefined;
  const middle = text.length >> 1;
  const space = text.lastIndexOf(' ', middle);
  // A middle inside a surrogate pair moves behind the pair.
  const boundary = characterBoundary(text, middle) === middle ? middle : middle + 1;
  const at = space > minPartCharacters ? space : boundary;
  return [text.slice(0, at), text.slice(at)];
}

/**
 * Scales a vector to unit length.
 *
 * @throws AlfredError `model_output_invalid` for a vector of length 0 or
 *   with numbers that are not finite: distances to it would be meaningless
 */
function unitVector(numbers: number[], model: string): Float32Array {
  const length = Math.hypot(...numbers);
  if (!Number.isFinite(length) || length === 0 || !numbers.every(Number.isFinite))
    throw new AlfredError('model_output_invalid', `${model} gave a vector that is none: it has no length.`);
  return Float32Array.from(numbers, (x) => x / length);
}
