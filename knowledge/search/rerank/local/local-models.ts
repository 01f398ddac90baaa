import type { RerankThresholds } from '../../../../contract/ports/index.ts';
import type { Config } from '../../../../runtime/config.ts';

/** @property maxTokens of the model's window, for query and passage together */
type LocalRerankModel = { name: string; maxTokens: number; evidence: RerankThresholds };

/**
 * Thresholds of both models, not yet calibrated on Alfred's own sets, see docs/adr/0026. 0.5 is a logit of 0: the model
 * holds both to be equally likely. 0.02 is a logit of -3.9.
 */
const evidence: RerankThresholds = { strong: 0.5, weak: 0.02 };

/** The models by what RERANK names. `npm start` fetches them from deploy/local/downloads/rerank-models.ts. */
export const localRerankModels: Record<NonNullable<Config['RERANK']>, LocalRerankModel> = {
  'local:ms-marco-minilm': { name: 'ms-marco-MiniLM-L-6-v2-int8', maxTokens: 512, evidence },
  'local:mmarco-minilm': { name: 'mmarco-mMiniLMv2-L12-H384-v1-uint8', maxTokens: 512, evidence },
};
