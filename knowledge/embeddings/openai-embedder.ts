import OpenAI, { APIError } from 'openai';
import { AlfredError } from '../../contract/errors.ts';
import type { Embedder, PassageText } from '../../contract/ports/index.ts';
import { providerError } from '../../adapters/outbound/provider-errors.ts';
import { meanOf } from './windows.ts';

type Options = { model: string; apiKey: string | undefined; baseUrl: string | undefined; queryTimeoutMs?: number };

/** Texts in one request; the API takes more, a slow server would rather not. */
const atOnce = 32;

/** Pieces are not made smaller: a server that refuses so little refuses something else. */
const shortestPiece = 200;

/** Somebody waits for a query, and words find without its vector; documents have the time that a server needs. */
const longestMs = { query: 5_000, passages: 60_000 };

/**
 * Any server that speaks OpenAI's embeddings. The SDK's own retries are off: Temporal retries, and a search goes on without.
 * What a server refuses is sent in smaller requests, and a text that is too long for it in pieces, whose mean counts: one
 * such text would else keep all others from their vectors.
 */
export function createOpenAiEmbedder({ model, apiKey, baseUrl, queryTimeoutMs = longestMs.query }: Options): Embedder {
  const client = new OpenAI({
    // The SDK demands a key, also for servers that look at none.
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? 'https://api.openai.com/v1',
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
  });

  const request = async (input: string[], limits: Limits): Promise<Float32Array[]> => {
    try {
      const { data } = await client.embeddings.create({ model, input, encoding_format: 'float' }, limits);
      const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => normalised(embedding, model));
      if (vectors.length === input.length) return vectors;
      throw new AlfredError('model_unavailable', `${model} gave ${vectors.length} vectors for ${input.length} texts.`);
    } catch (error) {
      if (!(error instanceof APIError) || limits.signal.aborted) throw error;
      const { status, type, code, headers, message } = error as APIError;
      throw providerError(
        'The embeddings server',
        { status, type: type ?? undefined, code: code ?? undefined, headers, message },
        error,
      );
    }
  };

  const embed = async (passages: PassageText[], limits: Limits): Promise<Float32Array[]> => {
    try {
      return await request(passages.map(textOf), limits);
    } catch (error) {
      const [first] = passages;
      if (!first || !isTooMuch(error)) throw error;
      if (passages.length > 1) {
        const half = passages.length >> 1;
        return [...(await embed(passages.slice(0, half), limits)), ...(await embed(passages.slice(half), limits))];
      }
      const pieces = halvesOf(first.text);
      if (!pieces) throw error;
      const vectors: { vector: Float32Array; weight: number }[] = [];
      for (const text of pieces)
        for (const vector of await embed([{ ...first, text }], limits)) vectors.push({ vector, weight: text.length });
      return [meanOf(vectors)];
    }
  };

  return {
    model: `openai:${model}`,
    relevanceThreshold: undefined,
    async embedPassages(passages, signal) {
      const vectors: Float32Array[] = [];
      for (let from = 0; from < passages.length; from += atOnce)
        vectors.push(...(await embed(passages.slice(from, from + atOnce), { signal, timeout: longestMs.passages })));
      return vectors;
    },
    async embedQuery(text, signal) {
      const [vector] = await embed([{ headings: '', text }], { signal, timeout: queryTimeoutMs });
      if (!vector) throw new AlfredError('model_unavailable', `${model} gave no vector.`);
      return vector;
    },
    close: async () => {},
  };
}

/** `timeout` in milliseconds, of each request. */
type Limits = { signal: AbortSignal; timeout: number };

const textOf = ({ headings, text }: PassageText) => (headings ? `${headings}\n${text}` : text);

/** llama.cpp answers 500 to an input that is too large, where others answer 400, 413 or 422. */
function isTooMuch(error: unknown): boolean {
  const { status, message = '' } = ((error as Error).cause ?? {}) as { status?: number; message?: string };
  return [400, 413, 422].includes(status ?? 0) || (status === 500 && /too (large|long)/i.test(message));
}

/** A text in two, between words where there are any. @returns undefined when it is too short for that */
function halvesOf(text: string): [string, string] | undefined {
  if (text.length < 2 * shortestPiece) return undefined;
  const middle = text.length >> 1;
  const space = text.lastIndexOf(' ', middle);
  const at = space > shortestPiece ? space : middle + Number(/[\uDC00-\uDFFF]/.test(text.charAt(middle)));
  return [text.slice(0, at), text.slice(at)];
}

/** @throws AlfredError `model_output_invalid` when it is no vector: it would be the nearest of all, or of none */
function normalised(numbers: number[], model: string): Float32Array {
  const length = Math.hypot(...numbers);
  if (!Number.isFinite(length) || length === 0 || !numbers.every(Number.isFinite))
    throw new AlfredError('model_output_invalid', `${model} gave a vector that is none: it has no length.`);
  return Float32Array.from(numbers, (x) => x / length);
}
