import { z } from 'zod';
import { AlfredError, type ErrorCode } from '../../../contract/errors.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Reranker } from '../../../contract/ports/index.ts';
import { retryAfterHeaderMs } from '../../../adapters/outbound/retry-after.ts';

type Settings = Pick<
  Config,
  | 'RERANK_URL'
  | 'RERANK_FORMAT'
  | 'RERANK_MODEL'
  | 'RERANK_API_KEY'
  | 'RERANK_CANDIDATES'
  | 'RERANK_TIMEOUT_MS'
  | 'RERANK_EVIDENCE'
>;

/** How long the search does not call a reranker that is unreachable, or that limits requests without `retry-after`. */
const defaultRetryAfterMs = 5_000;
/** As many as Text Embeddings Inference takes at once by default. */
const defaultCandidates = 32;
const defaultTimeoutMs = 2_000;

/** The score of one text. `index`: position of the text in the request. */
type TextScore = { index: number; score: number };
type Dialect = {
  body: (model: string, query: string, texts: string[]) => object;
  response: z.ZodType<TextScore[]>;
};

const index = z.int().nonnegative();

/** Request body and response format of each RERANK_FORMAT. */
const dialects: Record<Settings['RERANK_FORMAT'], Dialect> = {
  /** docs.cohere.com/reference/rerank. Jina, vLLM, llama.cpp and Infinity use the same format. */
  cohere: {
    body: (model, query, documents) => ({ model, query, documents, top_n: documents.length }),
    response: z
      .object({ results: z.array(z.object({ index, relevance_score: z.number() })) })
      .transform(({ results }) => results.map(({ index, relevance_score: score }) => ({ index, score }))),
  },
  /** huggingface.github.io/text-embeddings-inference. Without `truncate`, one text that is too long fails them all. */
  tei: {
    body: (_, query, texts) => ({ query, texts, truncate: true }),
    response: z.array(z.object({ index, score: z.number() })),
  },
};

/**
 * The reranker at RERANK_URL; undefined when none is configured. It does not retry: a search continues without a
 * reranker rather than wait for a second attempt.
 */
export function createHttpReranker(settings: Settings): Reranker | undefined {
  const { RERANK_URL: url, RERANK_MODEL: model, RERANK_API_KEY: key } = settings;
  if (url === undefined || model === undefined) return undefined;
  const { host } = new URL(url);
  const dialect = dialects[settings.RERANK_FORMAT];
  const failure = (
    code: ErrorCode,
    problem: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) => new AlfredError(code, `The reranker at ${host} ${problem}`, options);

  const ask = async (body: object, signal: AbortSignal): Promise<Response> => {
    try {
      return await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
        // A redirect is not followed: passages go to the configured address only.
        redirect: 'manual',
        signal,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw failure('model_unavailable', 'cannot be reached: see that it runs and RERANK_URL is right.', {
        retryAfterMs: defaultRetryAfterMs,
        cause: error,
      });
    }
  };

  return {
    model,
    candidates: settings.RERANK_CANDIDATES ?? defaultCandidates,
    timeoutMs: settings.RERANK_TIMEOUT_MS ?? defaultTimeoutMs,
    evidence: settings.RERANK_EVIDENCE,
    async scores(query, texts, signal) {
      const response = await ask(dialect.body(model, query, texts), signal);
      if (!response.ok) {
        // The body is not read: some servers repeat the passages in it, and errors are logged.
        await response.body?.cancel();
        const [code, advice] = explainStatus(response.status);
        const headerMs = retryAfterHeaderMs(response.headers.get('retry-after') ?? '');
        const retryAfterMs = headerMs ?? (response.status === 429 ? defaultRetryAfterMs : undefined);
        throw failure(code, `answered ${response.status}${advice}`, { retryAfterMs });
      }
      const body: unknown = await response.json().catch((error: unknown) => {
        if (signal.aborted) throw error;
        throw failure('model_unavailable', 'broke off or answered with something else than JSON.');
      });
      const parsed = dialect.response.safeParse(body);
      if (!parsed.success)
        throw failure('model_output_invalid', `does not speak RERANK_FORMAT=${settings.RERANK_FORMAT}.`);
      const scores = scoresInOrder(parsed.data, texts.length);
      if (!scores)
        throw failure(
          'model_output_invalid',
          `did not judge each of ${texts.length} texts once; its order is not used.`,
        );
      return scores;
    },
  };
}

/** @returns undefined unless every text has exactly one score */
function scoresInOrder(results: TextScore[], count: number): number[] | undefined {
  const scores = new Map(results.map(({ index, score }) => [index, score]));
  if (results.length !== count || scores.size !== count) return undefined;
  const ordered = Array.from({ length: count }, (_, i) => scores.get(i));
  return ordered.every((score) => score !== undefined) ? ordered : undefined;
}

/** The error code for a status, and what to do about it. */
function explainStatus(status: number): [ErrorCode, string] {
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
