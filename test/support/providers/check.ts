import type { Script } from '../../../adapters/models/script.ts';
import type { ModelProvider, ModelRequest } from '../../../contract/ports/index.ts';

/** What some providers lack. For example, a provider without a model cannot write text of its own. */
export type Need = 'own words' | 'output limit' | 'parallel calls' | 'count';

/** A behaviour of every provider, also of a live server with any model. */
export type Check = {
  title: string;
  needs?: Need;
  request: Partial<ModelRequest>;
  /** The answer of the scripted provider. */
  turn: Script['turns'][number];
  holds: (provider: ModelProvider, request: ModelRequest) => Promise<void>;
};
