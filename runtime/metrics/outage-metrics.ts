import { Counter, Gauge, type Registry } from 'prom-client';

/** What slows, stops or redirects model calls: outages, rate limits, budgets and full contexts. */
export const createOutageMetrics = (registers: Registry[]) => ({
  modelCircuitOpen: new Gauge({
    name: 'model_circuit_open',
    help: '1 while nobody asks the model but a probe, as this process last heard',
    labelNames: ['model'],
    registers,
  }),
  modelCircuitOpened: new Counter({
    name: 'model_circuit_opened_total',
    help: 'Times this process found that a model is down',
    labelNames: ['model'],
    registers,
  }),
  modelRateLimited: new Counter({
    name: 'model_rate_limited_total',
    help: 'Calls that wait because of a limit on requests or tokens a minute',
    labelNames: ['model'],
    registers,
  }),
  modelFallbacks: new Counter({
    name: 'model_fallbacks_total',
    help: 'Tasks that went on with another model because theirs was down',
    labelNames: ['from', 'to'],
    registers,
  }),
  tasksParked: new Gauge({
    name: 'tasks_parked',
    help: 'Tasks that wait for the model to come back',
    labelNames: ['model'],
    registers,
  }),
  tasksReleased: new Counter({
    name: 'tasks_released_total',
    help: 'Parked tasks told to go on, probes included',
    labelNames: ['model'],
    registers,
  }),
  budgetStops: new Counter({
    name: 'budget_stops_total',
    help: 'Tasks stopped by a budget',
    labelNames: ['scope', 'limit'],
    registers,
  }),
  contextCompactions: new Counter({
    name: 'context_compactions_total',
    help: 'Conversations made shorter because they no longer fitted the model',
    labelNames: ['method'],
    registers,
  }),
});
