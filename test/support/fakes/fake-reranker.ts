import type { IncomingMessage } from 'node:http';
import { startWireServer, type Reply } from './wire-server.ts';

type Format = 'cohere' | 'tei';
type ScoredText = { index: number; score: number };

type Limits = {
  format?: Format;
  key?: string;
  model?: string;
  /** The most texts of a request. Default: Cohere's 10,000, and 32 for TEI, which is its default too. */
  maxTexts?: number;
  /** llama.cpp fails a request when the query with one text is longer than its physical batch. */
  maxCharacters?: number;
};

/**
 * A reranker over HTTP. It refuses what the documented servers refuse, with their statuses: Cohere's format
 * (docs.cohere.com/reference/rerank) and that of Text Embeddings Inference.
 *
 * @param judge the score of a text
 */
export async function createFakeReranker(judge: (text: string) => number, limits: Limits = {}) {
  const { format = 'cohere', key = 'rerank-secret', model = 'rerank-test', maxCharacters = 2_000 } = limits;
  const maxTexts = limits.maxTexts ?? (format === 'tei' ? 32 : 10_000);
  let answer: (judged: ScoredText[]) => Reply | ScoredText[] = (judged) => judged;
  let arrived = () => {};
  const failure = (status: number, error: string) => ({
    status,
    json: format === 'tei' ? { error } : { message: error },
  });

  function reply(request: IncomingMessage, raw: string): Reply {
    if (request.method !== 'POST' || request.url !== '/v1/rerank') return failure(404, 'not found');
    if (request.headers.authorization !== `Bearer ${key}`) return failure(401, 'invalid api token');
    const body = JSON.parse(raw) as Record<string, unknown>;
    const texts = body[format === 'tei' ? 'texts' : 'documents'];
    if (typeof body.query !== 'string' || body.query === '' || !Array.isArray(texts) || texts.length === 0)
      return failure(422, 'query and texts are needed');
    if (format === 'cohere' && body.model !== model) return failure(404, `model ${String(body.model)} not found`);
    if (texts.length > maxTexts)
      return failure(
        format === 'tei' ? 413 : 400,
        `batch size ${texts.length} > maximum allowed batch size ${maxTexts}`,
      );
    const isTooLong = (text: unknown) => String(text).length + String(body.query).length > maxCharacters;
    if (body.truncate !== true && texts.some(isTooLong))
      return failure(500, `input is too large to process: ${String(texts.find(isTooLong))}`);
    const judged = texts
      .map((text: string, index) => ({ index, score: judge(text) }))
      .sort((a, b) => b.score - a.score);
    arrived();
    const answered = answer(judged);
    if (!Array.isArray(answered)) return answered;
    const results = answered.map(({ index, score }) => ({ index, relevance_score: score }));
    return { status: 200, json: format === 'tei' ? answered : { id: 'r', results } };
  }

  const server = await startWireServer(reply);
  return {
    ...server,
    url: `${server.url}/v1/rerank`,
    /** The texts of each request so far. */
    requestedTexts: () =>
      server.bodies.map((body) => {
        const { texts, documents } = JSON.parse(body) as { texts?: string[]; documents?: string[] };
        return texts ?? documents ?? [];
      }),
    /** Changes the scores, or replaces the response, from now on; undefined: sends the scores unchanged. */
    answerWith: (next?: typeof answer) => {
      answer = next ?? ((judged) => judged);
    },
    /** Runs for each valid request, before its response. */
    onRequest: (watch: () => void) => {
      arrived = watch;
    },
    /** The configuration variables for this server. */
    variables: {
      RERANK_URL: `${server.url}/v1/rerank`,
      RERANK_FORMAT: format,
      RERANK_MODEL: model,
      RERANK_API_KEY: key,
    },
  };
}
