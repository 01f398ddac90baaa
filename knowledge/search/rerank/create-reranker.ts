import type { Reranker } from '../../../contract/ports/index.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { createHttpReranker } from './http-reranker.ts';
import { createLocalReranker } from './local/local-reranker.ts';

/** The reranker that the configuration names, on this machine or at an address; undefined when it names none. */
export const createReranker = (config: Config, log: Logger): Reranker | undefined =>
  createLocalReranker(config, log) ?? createHttpReranker(config);
