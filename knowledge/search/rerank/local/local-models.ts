import type { RerankThresholds } from '../../../../contract/ports/index.ts';
import type { Config } from '../../../../runtime/config.ts';

/** @property maxTokens of the model's window, for query and passage together */
export type LocalRerankModel = { name: string; maxTokens: number; evidence: RerankThresholds };

/**
 * Thresholds of both models. No weights were at hand where this was made, so they were not calibrated on Alfred's own
 * sets. 0.5 is a logit of 0, from which on another project accepts passages of mmarco-mMiniLMv2-L12 as evidence, with no
 * error in the 51 judged passages that it published. 0.02 is from where on another one calls what ms-marco-MiniLM-L-6
 * scores relevant. Below it, nothing is near.
 */
const evidence: RerankThresholds = { strong: 0.5, weak: 0.02 };

/** The models by what RERANK names. `npm start` fetches them from deploy/local/downloads/rerank-models.ts. */
export const localRerankModels: Record<NonNullable<Config['RERANK']>, LocalRerankModel> = {
  'local:ms-marco-minilm': { name: 'ms-marco-MiniLM-L-6-v2-int8', maxTokens: 512, evidence },
  'local:mmarco-minilm': { name: 'mmarco-mMiniLMv2-L12-H384-v1-uint8', maxTokens: 512, evidence },
};
