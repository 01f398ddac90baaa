import OpenAI, { APIError } from 'openai';
import { AlfredError } from '../../../contract/errors.ts';
import type { Embedder } from '../../ports.ts';
import { providerError } from '../models/provider-errors.ts';

type Options = { model: string; apiKey: string | undefined; baseUrl: string | undefined };

/** Texts in one request; the API takes more, a slow server would rather not. */
const atOnce = 32;

/** Any server that speaks OpenAI's embeddings. The SDK's own retries are off: Temporal retries, and a search goes on without. */
export function createOpenAiEmbedder({ model, apiKey, baseUrl }: Options): Embedder {
  const client = new OpenAI({
    // The SDK demands a key, also for servers that look at none.
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? 'https://api.openai.com/v1',
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: 60_000,
    logLevel: 'off',
  });

  const embed = async (input: string[], signal: AbortSignal): Promise<Float32Array[]> => {
    try {
      const { data } = await client.embeddings.create({ model, input, encoding_format: 'float' }, { signal });
      const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => normalised(embedding));
      if (vectors.length === input.length) return vectors;
      throw new AlfredError('model_unavailable', `${model} gave ${vectors.length} vectors for ${input.length} texts.`);
    } catch (error) {
      if (!(error instanceof APIError) || signal.aborted) throw error;
      const { status, type, code, headers, message } = error as APIError;
      throw providerError(
        'The embeddings server',
        { status, type: type ?? undefined, code: code ?? undefined, headers, message },
        error,
      );
    }
  };

  return {
    model: `openai:${model}`,
    relevantFrom: undefined,
    async embedPassages(passages, signal) {
      const texts = passages.map(({ headings, text }) => (headings ? `${headings}\n${text}` : text));
      const vectors: Float32Array[] = [];
      for (let from = 0; from < texts.length; from += atOnce)
        vectors.push(...(await embed(texts.slice(from, from + atOnce), signal)));
      return vectors;
    },
    async embedQuery(text, signal) {
      const [vector] = await embed([text], signal);
      if (!vector) throw new AlfredError('model_unavailable', `${model} gave no vector.`);
      return vector;
    },
    close: async () => {},
  };
}

function normalised(numbers: number[]): Float32Array {
  const length = Math.hypot(...numbers) || 1;
  return Float32Array.from(numbers, (x) => x / length);
}
