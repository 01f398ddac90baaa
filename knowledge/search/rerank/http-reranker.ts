import { z } from 'zod';
import { AlfredError, type ErrorCode } from '../../../contract/errors.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Reranker } from '../../../contract/ports/index.ts';
import { retryAfterHeaderMs } from '../../../adapters/outbound/retry-after.ts';

type Settings = Pick<
  Config,
  'RERANK_URL' | 'RERANK_FORMAT' | 'RERANK_MODEL' | 'RERANK_API_KEY' | 'RERANK_CANDIDATES' | 'RERANK_TIMEOUT_MS'
>;

/** How long one that cannot be reached, or that limits requests and does not say until when, is left alone. */
const restMs = 5_000;

/** A text's place in the request, and how well it answers. */
type Judged = { index: number; score: number };
type Dialect = {
  body: (model: string, query: string, texts: string[]) => object;
  judged: z.ZodType<Judged[]>;
};

const index = z.int().nonnegative();

/** What servers differ in. */
const dialects: Record<Settings['RERANK_FORMAT'], Dialect> = {
  /** docs.cohere.com/reference/rerank; Jina, vLLM, llama.cpp and Infinity took it over. */
  cohere: {
    body: (model, query, documents) => ({ model, query, documents, top_n: documents.length }),
    judged: z
      .object({ results: z.array(z.object({ index, relevance_score: z.number() })) })
      .transform(({ results }) => results.map(({ index, relevance_score: score }) => ({ index, score }))),
  },
  /** huggingface.github.io/text-embeddings-inference; without `truncate` a text that is too long fails them all. */
  tei: {
    body: (_, query, texts) => ({ query, texts, truncate: true }),
    judged: z.array(z.object({ index, score: z.number() })),
  },
};

/** The reranker that RERANK_URL names. Asks once: a search goes on without it sooner than it waits for a second attempt. */
export function createHttpReranker(settings: Settings): Reranker | undefined {
  const { RERANK_URL: url, RERANK_MODEL: model, RERANK_API_KEY: key } = settings;
  if (url === undefined || model === undefined) return undefined;
  const { host } = new URL(url);
  const dialect = dialects[settings.RERANK_FORMAT];
  const failed = (code: ErrorCode, what: string, more: { retryAfterMs?: number | undefined; cause?: unknown } = {}) =>
    new AlfredError(code, `The reranker at ${host} ${what}`, more);

  const ask = async (body: object, signal: AbortSignal): Promise<Response> => {
    try {
      return await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
        // Passages go where the configuration says, and nowhere that somebody there sends them on to.
        redirect: 'manual',
        signal,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw failed('model_unavailable', 'cannot be reached: see that it runs and RERANK_URL is right.', {
        retryAfterMs: restMs,
        cause: error,
      });
    }
  };

  return {
    model,
    candidates: settings.RERANK_CANDIDATES,
    timeoutMs: settings.RERANK_TIMEOUT_MS,
    async scores(query, texts, signal) {
      const response = await ask(dialect.body(model, query, texts), signal);
      if (!response.ok) {
        // Some servers repeat what they were sent; an error is kept and shown.
        await response.body?.cancel();
        const [code, advice] = meaningOf(response.status);
        const named = retryAfterHeaderMs(response.headers.get('retry-after') ?? '');
        const retryAfterMs = named ?? (response.status === 429 ? restMs : undefined);
        throw failed(code, `answered ${response.status}${advice}`, { retryAfterMs });
      }
      const answer: unknown = await response.json().catch((error: unknown) => {
        if (signal.aborted) throw error;
        throw failed('model_unavailable', 'broke off or answered with something else than JSON.');
      });
      const parsed = dialect.judged.safeParse(answer);
      if (!parsed.success)
        throw failed('model_output_invalid', `does not speak RERANK_FORMAT=${settings.RERANK_FORMAT}.`);
      const scores = inOrder(parsed.data, texts.length);
      if (!scores)
        throw failed(
          'model_output_invalid',
          `did not judge each of ${texts.length} texts once; its order is not used.`,
        );
      return scores;
    },
  };
}

/** @returns undefined unless every text has exactly one score */
function inOrder(judged: Judged[], count: number): number[] | undefined {
  const scores = new Map(judged.map(({ index, score }) => [index, score]));
  if (judged.length !== count || scores.size !== count) return undefined;
  const ordered = Array.from({ length: count }, (_, i) => scores.get(i));
  return ordered.every((score) => score !== undefined) ? ordered : undefined;
}

function meaningOf(status: number): [ErrorCode, string] {
  if (status === 401 || status === 402 || status === 403)
    return ['model_auth', ': put its key into RERANK_API_KEY, and see that its account is paid.'];
  if (status === 429) return ['model_rate_limited', ': it limits our requests.'];
  if (status === 408 || status >= 500)
    return ['model_unavailable', ': its log says why. A text may be too long for it, or it is overloaded.'];
  if (status === 404 || status === 405 || status < 400)
    return ['model_rejected', ': see that RERANK_URL is its whole address, and RERANK_MODEL one that it has.'];
  return [
    'model_rejected',
    ': see that RERANK_FORMAT and RERANK_MODEL are right; if it takes fewer texts at once, lower RERANK_CANDIDATES.',
  ];
}
