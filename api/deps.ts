import type { Client } from '@temporalio/client';
import type { IncomingHttpHeaders } from 'node:http';
import type {
  Approvals,
  Callbacks,
  Citations,
  Collections,
  Documents,
  Identity,
  Ledger,
  Schedules,
  Sources,
  ConversationEvents,
  ConversationRows,
  Messages,
  SearchIndex,
  TaskEvents,
  Tasks,
  Workflows,
} from '../contract/ports/index.ts';
import type { Agents } from '../agents/index.ts';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { ReadinessProbe } from '../runtime/readiness.ts';

/** What the HTTP door needs. The client must sit on the workers' own connection for eager starts. */
export type ApiDeps = {
  config: Pick<
    Config,
    | 'ALFRED_AGENTS'
    | 'ALFRED_ALLOW_UNAUTHENTICATED_NETWORK'
    | 'ALFRED_MAX_UPLOAD_MB'
    | 'ALFRED_MODEL'
    | 'ALFRED_S3_PREFIXES'
    | 'ALFRED_SHUTDOWN_GRACE_S'
    | 'ALFRED_TENANTS'
    | 'ANTHROPIC_API_KEY'
    | 'TEMPORAL_NAMESPACE'
    | 'TEMPORAL_UI_URL'
  >;
  log: Logger;
  client: Client;
  tasks: Tasks;
  events: TaskEvents;
  approvals: Pick<Approvals, 'get' | 'list' | 'keepNote'>;
  conversationRows: ConversationRows;
  conversationEvents: ConversationEvents;
  messages: Messages;
  citations: Citations;
  callbacks: Pick<Callbacks, 'get' | 'again'>;
  collections: Collections;
  documents: Documents;
  ledger: Pick<Ledger, 'usage'>;
  index: Pick<SearchIndex, 'search'>;
  schedules: Schedules;
  sources: Sources;
  workflows: Pick<Workflows, 'describe' | 'deliverCallback' | 'syncSource'>;
  agents: Agents;
  metrics: Metrics;
  readMetrics(): Promise<string>;
  readiness: ReadinessProbe;
  /** Who sends a request; without it everybody is the person at this machine. */
  identify?(headers: IncomingHttpHeaders): Identity | undefined;
  /** Silence after which an event stream sends a comment, so that proxies keep it open. */
  heartbeatMs?: number;
};
