import type { Edge } from '../../runtime/edge.ts';
import type { Tool } from '../ports.ts';
import { createDocumentParser } from './documents/parser.ts';
import { createProviders } from './models/providers.ts';
import { createContents } from './postgres/contents.ts';
import { createConversations } from './postgres/conversations.ts';
import { createDocuments } from './postgres/documents.ts';
import { createEventListener } from './postgres/event-listener.ts';
import { createTaskEvents } from './postgres/events.ts';
import { createLedger } from './postgres/ledger.ts';
import { createTasks } from './postgres/tasks.ts';
import { createWorkflows } from './temporal/workflows.ts';

/** Everything that stands behind the ports, chosen by configuration. Connects to nothing until it is used. */
export function createAdapters({ config, log, postgres: { db }, client }: Pick<Edge, 'config' | 'log' | 'postgres' | 'client'>) {
  const listener = createEventListener(config.DATABASE_URL, log);
  const parser = createDocumentParser();
  return {
    tasks: createTasks(db),
    events: createTaskEvents(db, listener),
    contents: createContents(db),
    conversations: createConversations(db),
    ledger: createLedger(db),
    documents: createDocuments(db),
    parser,
    workflows: createWorkflows(client),
    providers: createProviders(config),
    tools: {} as Record<string, Tool>,
    close: async () => {
      await Promise.all([listener.close(), parser.close()]);
    },
  };
}
export type Adapters = ReturnType<typeof createAdapters>;
