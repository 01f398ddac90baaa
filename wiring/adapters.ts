import { join } from 'node:path';
import type { Scope } from '../contract/references.ts';
import type { Edge } from '../runtime/edge.ts';
import { createDocumentParser } from '../knowledge/parsing/parser.ts';
import { createModelCatalog } from '../adapters/models/catalog.ts';
import { createProviders } from '../adapters/models/providers.ts';
import { createOutbound } from '../adapters/outbound/outbound.ts';
import { createWebhooks } from '../adapters/outbound/webhooks.ts';
import { createApprovals } from '../adapters/postgres/approvals/approvals.ts';
import { createCallbacks } from '../adapters/postgres/tasks/callbacks.ts';
import { createCollections } from '../knowledge/store/collections.ts';
import { createConversationEvents } from '../adapters/postgres/conversations/conversation-events.ts';
import { createConversationRows } from '../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../adapters/postgres/conversations/conversation-turns.ts';
import { createMessageStore } from '../adapters/postgres/messages/message-store.ts';
import { createDocuments } from '../knowledge/store/documents.ts';
import { createEffects } from '../adapters/postgres/ledger/effects.ts';
import { createEventListener } from '../adapters/postgres/event-listener.ts';
import { createTaskEvents } from '../adapters/postgres/tasks/events.ts';
import { createGroups } from '../knowledge/store/groups.ts';
import { createLedger } from '../adapters/postgres/ledger/ledger.ts';
import { createModelGate } from '../adapters/postgres/ledger/model-gate.ts';
import { createParkedTasks } from '../adapters/postgres/tasks/parked-tasks.ts';
import { createSchedules } from '../adapters/postgres/schedules/schedules.ts';
import { createSources } from '../knowledge/store/sources.ts';
import { createTaskCitations } from '../knowledge/store/task-citations.ts';
import { createTasks } from '../adapters/postgres/tasks/tasks.ts';
import { createVectors } from '../knowledge/store/vectors.ts';
import { createEmbeddings } from '../knowledge/embeddings/embeddings.ts';
import { createEmbeddedIndex } from '../knowledge/search/embedded/embedded-index.ts';
import { measureIndex } from '../knowledge/search/measure-index.ts';
import { createQdrantIndex, qdrantSettings } from '../knowledge/search/qdrant/qdrant-index.ts';
import { readPassages } from '../knowledge/search/read-passages.ts';
import { createHttpReranker } from '../knowledge/search/rerank/http-reranker.ts';
import { createSearch } from '../knowledge/search/search.ts';
import { createSourceReaders } from '../knowledge/sources/readers.ts';
import { createMessages } from '../adapters/temporal/messages.ts';
import { createWorkflows } from '../adapters/temporal/workflows.ts';
import { createActingTools } from '../agents/tools/acting/acting-tools.ts';
import { createDocumentTools } from '../agents/tools/documents/document-tools.ts';
import { readResultTool } from '../agents/tools/read-result.ts';

type AdapterEdge = Pick<Edge, 'config' | 'log' | 'postgres' | 'client'> & Partial<Pick<Edge, 'metrics'>>;

/** Everything that stands behind the ports, chosen by configuration. Connects to nothing until it is used. */
export function createAdapters({ config, log, postgres: { db }, client, metrics }: AdapterEdge) {
  const listener = createEventListener(config.DATABASE_URL, log);
  const parser = createDocumentParser();
  const documents = createDocuments(db);
  const conversations = createMessageStore(db);
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
