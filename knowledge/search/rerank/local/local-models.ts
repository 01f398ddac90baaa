import type { Config } from '../../../../runtime/config.ts';

/**
 * @property maxTokens of the model's window, for query and passage together
 * @property languages that it was trained on; undefined for one of many languages
 */
type LocalRerankModel = { name: string; maxTokens: number; languages?: readonly string[] };

const english = ['en'];

/** What RERANK may name. */
export type LocalRerankName = Exclude<NonNullable<Config['RERANK']>, 'none'>;

/** The models by what RERANK names. `npm start` fetches them from deploy/local/downloads/rerank-models.ts. */
export const localRerankModels: Record<LocalRerankName, LocalRerankModel> = {
  'local:ms-marco-minilm-l12': { name: 'ms-marco-MiniLM-L-12-v2-int8', maxTokens: 512, languages: english },
  'local:ms-marco-minilm': { name: 'ms-marco-MiniLM-L-6-v2-int8', maxTokens: 512, languages: english },
  'local:mmarco-minilm': { name: 'mmarco-mMiniLMv2-L12-H384-v1-uint8', maxTokens: 512 },
};
