import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { createAgeGauge } from './age-gauge.ts';
import { version } from './version.ts';

const seconds = {
  http: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  task: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600],
  model: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320],
  tool: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300],
};

/** Alfred's own metrics, under the names the run book uses. One set a process. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const metrics = {
    registry,
    /** What has to be looked up is, before each scrape. They fail only where they are at fault. */
    beforeScrape: [] as (() => Promise<void>)[],
    tasksProcessed: new Counter({
      name: 'tasks_processed_total',
      help: 'Tasks that ended',
      labelNames: ['agent', 'status'],
      registers,
    }),
    taskDuration: new Histogram({
      name: 'task_duration_seconds',
      help: 'From request to end of a task',
      labelNames: ['agent', 'status'],
      buckets: seconds.task,
      registers,
    }),
    taskFailures: new Counter({
      name: 'task_failures_total',
      help: 'Tasks that failed after all retries',
      labelNames: ['agent', 'code'],
      registers,
    }),
    conversationMessages: new Counter({
      name: 'conversation_messages_total',
      help: 'Messages of conversations, by what was decided when they came',
      labelNames: ['agent', 'outcome'],
      registers,
    }),
    citations: new Counter({
      name: 'citations_total',
      help: 'Citations of answers, by who chose their quotes: the model, or code that looked for what comes closest',
      labelNames: ['model', 'quoted_by'],
      registers,
    }),
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
      buckets: seconds.model,
      registers,
    }),
    modelFirstToken: new Histogram({
      name: 'model_first_token_seconds',
      help: 'From request to first token',
      labelNames: ['provider', 'model'],
      buckets: seconds.model,
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
    toolCalls: new Counter({
      name: 'tool_calls_total',
      help: 'Tool calls that ended',
      labelNames: ['tool', 'outcome'],
      registers,
    }),
    toolCallDuration: new Histogram({
      name: 'tool_call_duration_seconds',
      help: 'One tool call',
      labelNames: ['tool'],
      buckets: seconds.tool,
      registers,
    }),
    callbacks: new Counter({
      name: 'callbacks_total',
      help: 'Attempts to tell a task’s end, by what became of them',
      labelNames: ['outcome'],
      registers,
    }),
    effectsUndone: new Counter({
      name: 'effects_undone_total',
      help: 'Effects of cancelled tasks that were to be taken back',
      labelNames: ['tool', 'state'],
      registers,
    }),
    approvalsRequested: new Counter({
      name: 'approvals_requested_total',
      help: 'Tool calls that wait for a person',
      labelNames: ['tool'],
      registers,
    }),
    approvalsDecided: new Counter({
      name: 'approvals_decided_total',
      help: 'Approvals by what was decided',
      labelNames: ['decision'],
      registers,
    }),
    documentsIngested: new Counter({
      name: 'documents_ingested_total',
      help: 'Files read, by what became of them',
      labelNames: ['state'],
      registers,
    }),
    documentFailures: new Counter({
      name: 'document_failures_total',
      help: 'Files and items of sources that were given up',
      labelNames: ['code'],
      registers,
    }),
    chunksIngested: new Counter({
      name: 'chunks_ingested_total',
      help: 'Chunks of documents that were added or replaced',
      registers,
    }),
    knowledgeLag: createAgeGauge<'file' | 'vector' | 'index'>({
      name: 'knowledge_lag_seconds',
      help: 'Age of the oldest file to be read, text to be embedded, change that the index has not taken over',
      labelNames: ['of'],
      registers,
    }),
    indexPassages: new Gauge({
      name: 'index_passages',
      help: 'Passages in the search index of this process',
      labelNames: ['index'],
      registers,
    }),
    indexVectors: new Gauge({
      name: 'index_vectors',
      help: 'Passages with a vector in the search index of this process',
      labelNames: ['index'],
      registers,
    }),
    indexBytes: new Gauge({
      name: 'index_size_bytes',
      help: 'Size of the search index of this process, where it is known',
      labelNames: ['index'],
      registers,
    }),
    searchDuration: new Histogram({
      name: 'search_duration_seconds',
      help: 'One search in the documents',
      buckets: seconds.tool,
      registers,
    }),
    searchStages: new Histogram({
      name: 'search_stage_duration_seconds',
      help: 'Stages of a search: embed the query, candidates from the index, rerank, read from Postgres',
      labelNames: ['stage'],
      buckets: seconds.tool,
      registers,
    }),
    searchCache: new Counter({
      name: 'search_query_vectors_total',
      help: 'Vectors of queries, by whether they were known',
      labelNames: ['outcome'],
      registers,
    }),
    searchReranks: new Counter({
      name: 'search_reranks_total',
      help: 'Searches with a reranker, by what it did: done, late, resting, or how it failed',
      labelNames: ['outcome'],
      registers,
    }),
    chunksEmbedded: new Counter({
      name: 'chunks_embedded_total',
      help: 'Texts of documents that were embedded',
      registers,
    }),
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'HTTP requests',
      labelNames: ['method', 'route', 'status'],
      buckets: seconds.http,
      registers,
    }),
    eventStreams: new Gauge({ name: 'event_streams_open', help: 'Followers connected to an event stream', registers }),
    rowsCorrected: new Counter({
      name: 'task_rows_corrected_total',
      help: 'Rows brought in line with what Temporal says',
      labelNames: ['found'],
      registers,
    }),
    coldStart: new Gauge({ name: 'cold_start_seconds', help: 'From process start to ready', registers }),
    buildInfo: new Gauge({ name: 'build_info', help: 'Always 1', labelNames: ['version', 'node'], registers }),
  };
  metrics.buildInfo.set({ version, node: process.version }, 1);
  return metrics;
}
export type Metrics = ReturnType<typeof createMetrics>;
