import { Counter, Histogram, type Registry } from 'prom-client';

/** Upper bounds of the histogram buckets, in seconds. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];

/** Attempts at model calls. */
export const createModelMetrics = (registers: Registry[]) => ({
  modelCalls: new Counter({
    name: 'model_calls_total',
    help: 'Attempts at model calls',
    labelNames: ['provider', 'model', 'outcome'],
    registers,
  }),
  modelCallDuration: new Histogram({
    name: 'model_call_duration_seconds',
    help: 'One attempt at a model call',
    labelNames: ['provider', 'model'],
    buckets,
    registers,
  }),
  modelFirstToken: new Histogram({
    name: 'model_first_token_seconds',
    help: 'From request to first token',
    labelNames: ['provider', 'model'],
    buckets,
    registers,
  }),
  modelTokens: new Counter({
    name: 'model_tokens_total',
    help: 'Tokens by kind',
    labelNames: ['provider', 'model', 'direction'],
    registers,
  }),
  modelCost: new Counter({
    name: 'model_cost_usd_total',
    help: 'US dollars spent on models',
    labelNames: ['provider', 'model'],
    registers,
  }),
  modelCachedShare: new Histogram({
    name: 'model_cached_input_share',
    help: 'Share of a call’s input tokens read from the provider’s cache, 0 to 1',
    labelNames: ['provider', 'model'],
    buckets: [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1],
    registers,
  }),
});
