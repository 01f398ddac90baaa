import { join } from 'node:path';
import type { Scope } from '../../contract/references.ts';
import type { Edge } from '../../runtime/edge.ts';
import { createDocumentParser } from './documents/parser.ts';
import { createModelCatalog } from './models/catalog.ts';
import { createProviders } from './models/providers.ts';
import { createOutbound } from './outbound/outbound.ts';
import { createWebhooks } from './outbound/webhooks.ts';
import { createApprovals } from './postgres/approvals.ts';
import { createCallbacks } from './postgres/callbacks.ts';
import { createCollections } from './postgres/collections.ts';
import { createConversationEvents } from './postgres/conversation-events.ts';
import { createConversationRows } from './postgres/conversation-rows.ts';
import { createConversationTurns } from './postgres/conversation-turns.ts';
import { createConversations } from './postgres/conversations.ts';
import { createDocuments } from './postgres/documents.ts';
import { createEffects } from './postgres/effects.ts';
import { createEventListener } from './postgres/event-listener.ts';
import { createTaskEvents } from './postgres/events.ts';
import { createGroups } from './postgres/groups.ts';
import { createLedger } from './postgres/ledger.ts';
import { createModelGate } from './postgres/model-gate.ts';
import { createParkedTasks } from './postgres/parked-tasks.ts';
import { createSchedules } from './postgres/schedules.ts';
import { createSources } from './postgres/sources.ts';
import { createTaskCitations } from './postgres/task-citations.ts';
import { createTasks } from './postgres/tasks.ts';
import { createVectors } from './postgres/vectors.ts';
import { createEmbeddings } from './embeddings/embeddings.ts';
import { createEmbeddedIndex } from './search/embedded/embedded-index.ts';
import { measureIndex } from './search/measure-index.ts';
import { createQdrantIndex, qdrantSettings } from './search/qdrant/qdrant-index.ts';
import { readPassages } from './search/read-passages.ts';
import { createHttpReranker } from './search/rerank/http-reranker.ts';
import { createSearch } from './search/search.ts';
import { createSourceReaders } from './sources/readers.ts';
import { createMessages } from './temporal/messages.ts';
import { createWorkflows } from './temporal/workflows.ts';
import { createActingTools } from './tools/acting-tools.ts';
import { createDocumentTools } from './tools/document-tools.ts';
import { readResultTool } from './tools/read-result.ts';

type AdapterEdge = Pick<Edge, 'config' | 'log' | 'postgres' | 'client'> & Partial<Pick<Edge, 'metrics'>>;

/** Everything that stands behind the ports, chosen by configuration. Connects to nothing until it is used. */
export function createAdapters({ config, log, postgres: { db }, client, metrics }: AdapterEdge) {
  const listener = createEventListener(config.DATABASE_URL, log);
  const parser = createDocumentParser();
  const documents = createDocuments(db);
  const conversations = createConversations(db);
  const conversationRows = createConversationRows(db);
  const embeddings = createEmbeddings(config, log);
  const model = async () => (await embeddings.embedder())?.model ?? '';
  const passages = config.QDRANT_URL
    ? createQdrantIndex({ db, log, model, ...qdrantSettings(config, config.QDRANT_URL) })
    : createEmbeddedIndex({ db, dir: join(config.ALFRED_DATA_DIR, 'index'), log, model });
  if (metrics) measureIndex({ index: passages, metrics, log });
  const reranker = createHttpReranker(config);
  const index = createSearch({ db, index: passages, embeddings, reranker, log, metrics });
  const sourceReaders = createSourceReaders(config);
  const webhooks = createWebhooks(createOutbound({ allow: config.ALFRED_OUTBOUND_ALLOW }));
  const tools = [
    ...createDocumentTools({ index, documents }),
    readResultTool(conversations),
    ...createActingTools(config, webhooks),
  ];
  return {
    tasks: createTasks(db),
    events: createTaskEvents(db, listener),
    citations: createTaskCitations(db),
    conversations,
    conversationRows,
    conversationEvents: createConversationEvents(db, listener),
    turns: createConversationTurns(db),
    messages: createMessages({ client, conversations: conversationRows, config }),
    callbacks: createCallbacks(db),
    webhooks,
    ledger: createLedger(db),
    effects: createEffects(db),
    approvals: createApprovals(db),
    collections: createCollections(db),
    documents,
    groups: createGroups(db),
    vectors: createVectors(db),
    embeddings,
    passages,
    /** Passages that a subject may read, by the ids of their chunks. */
    readPassages: (scope: Scope, chunkIds: string[]) => readPassages(db, scope, chunkIds),
    reranker,
    index,
    parser,
    workflows: createWorkflows(client),
    providers: createProviders(config),
    catalog: createModelCatalog(config),
    gate: createModelGate(db, {
      failures: config.ALFRED_OUTAGE_FAILURES,
      probeMs: config.ALFRED_OUTAGE_PROBE_S * 1_000,
      metrics,
      log,
    }),
    parked: createParkedTasks(db),
    schedules: createSchedules(db),
    sources: createSources(db),
    sourceReaders,
    tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])),
    close: async () => {
      sourceReaders.close();
      await Promise.all([index.close(), listener.close(), parser.close()]);
    },
  };
}
export type Adapters = ReturnType<typeof createAdapters>;
