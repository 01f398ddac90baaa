import type { IncomingHttpHeaders } from 'node:http';
import type {
  ApiKeys,
  Approvals,
  Artifacts,
  Audit,
  BrowserSignIn,
  Callbacks,
  Citations,
  Collections,
  ContactIngests,
  Contacts,
  Control,
  Documents,
  Erasure,
  IngestionEvents,
  Ledger,
  Memories,
  ModelCatalog,
  RequestLimits,
  Schedules,
  Shares,
  SignIn,
  Sources,
  ConversationEvents,
  ConversationRows,
  ConversationControl,
  SearchIndex,
  SlackLinking,
  TaskEvents,
  Tasks,
  TenantAgents,
  Tenants,
} from '../contract/ports/index.ts';
import type { Agents } from '../agents/index.ts';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { ReadinessProbe } from '../runtime/readiness.ts';

/** What the HTTP API needs. */
export type ApiDeps = {
  config: Pick<
    Config,
    | 'ALFRED_AGENTS'
    | 'ALFRED_API_HOSTS'
    | 'ALFRED_COUNTRY_HEADER'
    | 'ALFRED_CONTACTS_COUNTRY'
    | 'ALFRED_CORS_ORIGINS'
    | 'ALFRED_HSTS_S'
    | 'ALFRED_LIMIT_ADDRESS'
    | 'ALFRED_LIMIT_CONCURRENT_UPLOADS'
    | 'ALFRED_LIMIT_SEARCHES'
    | 'ALFRED_LIMIT_STARTS'
    | 'ALFRED_LIMIT_STREAMS'
    | 'ALFRED_LIMIT_SUBJECT'
    | 'ALFRED_LIMIT_TENANT'
    | 'ALFRED_LIMIT_UPLOADS'
    | 'ALFRED_MAX_CONNECTIONS'
    | 'ALFRED_METRICS_NETWORKS'
    | 'ALFRED_TRUSTED_PROXIES'
    | 'ALFRED_MAX_UPLOAD_MB'
    | 'ALFRED_MODEL'
    | 'ALFRED_MODELS'
    | 'ALFRED_PUBLIC_URL'
    | 'ALFRED_S3_PREFIXES'
    | 'ALFRED_SHUTDOWN_GRACE_S'
    | 'ALFRED_SKIP_HOST_CHECKS'
    | 'OIDC_AUDIENCE'
    | 'OIDC_CLI_CLIENT_ID'
    | 'OIDC_ISSUER'
    | 'ALFRED_ONLY_LISTED_TENANTS'
    | 'OIDC_PROVIDER'
    | 'ALFRED_TENANTS'
    | 'ANTHROPIC_API_KEY'
    | 'TEMPORAL_NAMESPACE'
    | 'TEMPORAL_UI_URL'
  >;
  log: Logger;
  control: Control;
  tasks: Tasks;
  memories: Memories;
  contacts: Pick<Contacts, 'get' | 'list' | 'delete' | 'listMerges'>;
  contactIngests: Pick<ContactIngests, 'get' | 'list' | 'delete' | 'listRejects' | 'columnsOf'>;
  tenants: Tenants;
  tenantAgents: TenantAgents;
  catalog: Pick<ModelCatalog, 'factsOf'>;
  /** The providers of models that are configured, by name. */
  providers: Readonly<Record<string, unknown>>;
  events: TaskEvents;
  approvals: Pick<Approvals, 'get' | 'list'>;
  artifacts: Artifacts;
  conversationRows: ConversationRows;
  conversationEvents: ConversationEvents;
  messages: ConversationControl;
  citations: Citations;
  callbacks: Pick<Callbacks, 'get' | 'setPush' | 'findPush' | 'removePush'>;
  collections: Collections;
  documents: Documents;
  erasure: Pick<Erasure, 'deleteTask'>;
  ingestionEvents: IngestionEvents;
  ledger: Pick<Ledger, 'reportUsage'>;
  index: Pick<SearchIndex, 'search'>;
  /** Absent: requests are not counted. */
  limits?: RequestLimits;
  schedules: Schedules;
  shares: Shares;
  sources: Sources;
  agents: Agents;
  metrics: Metrics;
  readMetrics(): Promise<string>;
  readiness: ReadinessProbe;
  apiKeys: ApiKeys;
  audit: Audit;
  /** Whose audit log gets the sign-ins that failed; empty: of no tenant, because it is not known. */
  tenantOfStrangers: string;
  /**
   * Identifies the sender of a request. A request without a sender, or with an incomplete one, is refused. Without this
   * function every request comes from the user of this machine.
   *
   * @param rawHeaders names and values in turn, as they came
   * @param address of the client, as far as it counts: see `countedAddress`
   */
  identify?: (
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    address: string,
  ) => SignIn | undefined | Promise<SignIn | undefined>;
  /** Sign-ins by browser. Absent: there are none. */
  browserSignIn?: BrowserSignIn | undefined;
  /** Links of Slack users with those who sign in. Absent: there are none. */
  slackLinking?: Pick<SlackLinking, 'find' | 'confirm'> | undefined;
  /** Silence after which an event stream sends a comment, so that proxies keep it open. */
  heartbeatMs?: number;
  /** How long a request may take to arrive, in milliseconds. */
  arrival?: { headersMs: number; requestMs: number; checkMs: number };
};
