import { sessionEndEntry } from '../contract/rules/audit-actions.ts';
import { createAudit } from './audit.ts';
import { createKnowledge } from './knowledge.ts';
import { createMcp } from './mcp.ts';
import { directDatabaseUrl } from '../runtime/database/database-url.ts';
import { ConfigError, readOwnVariables } from '../runtime/config.ts';
import type { Edge } from '../runtime/edge.ts';
import { createBrowserSignIn } from '../adapters/identity/browser-sign-in.ts';
import { createSignIn } from '../adapters/identity/sign-in.ts';
import { createRequestLimits } from '../adapters/limits/request-limits.ts';
import { createHubSpot } from '../adapters/crm/hubspot.ts';
import { createSmtpTransport } from '../adapters/mail/smtp-transport.ts';
import { createModelCatalog } from '../adapters/models/catalog.ts';
import { createProviders } from '../adapters/models/providers.ts';
import { createOutbound } from '../adapters/outbound/outbound.ts';
import { createWebhooks } from '../adapters/outbound/webhooks.ts';
import { createBrowserSessions } from '../adapters/postgres/identity/browser-sessions.ts';
import { createApiKeys } from '../adapters/postgres/identity/api-keys.ts';
import { createSubjects } from '../adapters/postgres/identity/subjects.ts';
import { createCurrentRights } from '../adapters/postgres/identity/current-rights.ts';
import { createApprovals } from '../adapters/postgres/approvals/approvals.ts';
import { createArtifacts } from '../adapters/postgres/artifacts/artifacts.ts';
import { createCallbacks } from '../adapters/postgres/tasks/callbacks.ts';
import { createContactIngests } from '../adapters/postgres/contacts/contact-ingests.ts';
import { createContacts } from '../adapters/postgres/contacts/contacts.ts';
import { createConversationEvents } from '../adapters/postgres/conversations/conversation-events.ts';
import { createConversationRows } from '../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../adapters/postgres/conversations/conversation-turns.ts';
import { createMemories } from '../adapters/postgres/memories/memories.ts';
import { createMessageStore } from '../adapters/postgres/messages/message-store.ts';
import { createDelegations } from '../adapters/postgres/delegations/delegations.ts';
import { createErasure } from '../adapters/postgres/erasure/erasure.ts';
import { createEffects } from '../adapters/postgres/ledger/effects.ts';
import { createEventListener } from '../adapters/postgres/event-listener.ts';
import { createTaskEvents } from '../adapters/postgres/tasks/task-events.ts';
import { createPartitions } from '../adapters/postgres/partitions/partitions.ts';
import { createCallLeases } from '../adapters/postgres/ledger/call-leases.ts';
import { createLedger } from '../adapters/postgres/ledger/ledger.ts';
import { createModelGate } from '../adapters/postgres/ledger/model-gate.ts';
import { createParkedTasks } from '../adapters/postgres/tasks/parked-tasks.ts';
import { createRemoteRuns } from '../adapters/postgres/remote/remote-runs.ts';
import { createSchedules } from '../adapters/postgres/schedules/schedules.ts';
import { createSocialWatches } from '../adapters/postgres/social/social-watches.ts';
import { createSlackRows } from '../adapters/postgres/slack/slack-rows.ts';
import { createShares } from '../adapters/postgres/sharing/shares.ts';
import { createTasks } from '../adapters/postgres/tasks/tasks.ts';
import { limitMessages, limitTasks } from '../adapters/postgres/tenants/limit-work.ts';
import { createTenantAgents } from '../adapters/postgres/tenants/tenant-agents.ts';
import { createTenants } from '../adapters/postgres/tenants/tenants.ts';
import { createRemoteAgents } from '../adapters/remote/remote-agents.ts';
import { createSandbox } from '../adapters/sandbox/sandbox.ts';
import { createSocial } from '../adapters/social/social.ts';
import { createControl } from '../adapters/temporal/control.ts';
import { createConversationControl } from '../adapters/temporal/conversation-control.ts';
import { createIngestionEvents } from '../knowledge/store/ingestion-events.ts';
import { createScheduleAlignment } from '../adapters/temporal/schedule-alignment.ts';
import { createWorkflowSurvey } from '../adapters/temporal/workflow-survey.ts';
import { createWorkflows } from '../adapters/temporal/workflows.ts';
import { readContacts } from '../parsing/contacts/read-contacts.ts';
import { browserSettingsOf } from '../runtime/browser-settings.ts';
import { issuersOf } from '../runtime/identity-settings.ts';
import { remoteAgentEntries } from '../runtime/remote-agent-settings.ts';
import { slackInstallationKeysOf } from '../runtime/slack-install-settings.ts';
import { checkNamespace } from '../runtime/temporal-namespace.ts';

type AdapterEdge = Pick<Edge, 'config' | 'log' | 'postgres' | 'client'> & Partial<Pick<Edge, 'metrics' | 'readiness'>>;

/** Tasks and what belongs to them, as rows of Postgres. */
const createRows = (
  { postgres: { db }, config, log, metrics }: Pick<AdapterEdge, 'postgres' | 'config' | 'log' | 'metrics'>,
  tenants: ReturnType<typeof createTenants>,
) => ({
  tasks: limitTasks(db, createTasks(db), tenants),
  callbacks: createCallbacks(db),
  approvals: createApprovals(db),
  artifacts: createArtifacts(db),
  rights: createCurrentRights(db),
  effects: createEffects(db),
  contacts: createContacts(db),
  contactIngests: createContactIngests(db, readContacts),
  delegations: createDelegations(db),
  memories: createMemories(db, { log, metrics }),
  remoteRuns: createRemoteRuns(db),
  socialWatches: createSocialWatches(db),
  schedules: createSchedules(db),
  shares: createShares(db),
  apiKeys: createApiKeys(db),
  ...createSlackRows(db, slackInstallationKeysOf(config)),
});

/** Everything that stands behind the ports, chosen by configuration. Connects to nothing until it is used. */
export function createAdapters(edge: AdapterEdge) {
  const { config, log, postgres, client, metrics } = edge;
  const { db } = postgres;
  const listener = createEventListener(() => directDatabaseUrl(config), log);
  const leases = createCallLeases(() => directDatabaseUrl(config), log);
  const knowledge = createKnowledge(edge);
  const tenants = createTenants(db, { onlyListed: config.ALFRED_ONLY_LISTED_TENANTS });
  const conversationRows = limitMessages(db, createConversationRows(db), tenants);
  const workflows = createWorkflows(client, config);
  const rows = createRows(edge, tenants);
  const mcp = createMcp(edge);
  const webhooks = createWebhooks(createOutbound({ allow: config.ALFRED_OUTBOUND_ALLOW }));
  const audit = createAudit(edge, webhooks);
  const browserSettings = browserSettingsOf(config);
  const browserSessions = createBrowserSessions(db);
  const signIn = createSignIn({
    issuers: issuersOf(config),
    subjects: createSubjects(db, { emailDomains: config.SLACK_LINK_BY_EMAIL }),
    apiKeys: rows.apiKeys,
    log,
    metrics,
    createBrowserSignIn:
      browserSettings &&
      ((signInByToken) =>
        createBrowserSignIn({
          settings: browserSettings,
          sessions: browserSessions,
          log,
          signInByToken,
          noteEnd: (session) => audit.audit.note(sessionEndEntry('session.end', session)),
        })),
  });
  return {
    ...knowledge,
    ...rows,
    ...audit,
    identify: signIn.identify,
    browserSignIn: signIn.browserSignIn,
    browserSessions,
    /** Reads the secrets of sign-in by browser, before this process takes requests. @throws ConfigError */
    checkSecrets() {
      try {
        browserSettings?.keys();
        browserSettings?.clientSecret?.();
      } catch (error) {
        throw new ConfigError((error as Error).message, { cause: error });
      }
    },
    limits: createRequestLimits({ config, db, log }),
    /** What keeps people from signing in; undefined when nothing does. */
    signInWarning: signIn.warning,
    events: createTaskEvents(db, listener),
    ingestionEvents: createIngestionEvents(db, listener),
    messageStore: createMessageStore(db),
    conversationRows,
    tenants,
    tenantAgents: createTenantAgents(db, (tenant) => tenants.forget(tenant)),
    conversationEvents: createConversationEvents(db, listener),
    turns: createConversationTurns(db),
    ledger: createLedger(db),
    leases,
    erasure: createErasure(db, log),
    parked: createParkedTasks(db),
    gate: createModelGate(db, {
      failures: config.ALFRED_OUTAGE_FAILURES,
      probeMs: config.ALFRED_OUTAGE_PROBE_S * 1_000,
      metrics,
      log,
    }),
    providers: createProviders(config),
    sandbox: createSandbox(),
    social: createSocial({ config, log, metrics }),
    catalog: createModelCatalog(config),
    partitions: createPartitions(db),
    workflows,
    survey: createWorkflowSurvey(client, workflows),
    namespace: { check: () => checkNamespace({ db, client, config }) },
    scheduleAlignment: createScheduleAlignment({ client, schedules: rows.schedules, sources: knowledge.sources, log }),
    messages: createConversationControl({ client, conversations: conversationRows, config }),
    control: createControl({ ...knowledge, ...rows, client, config, log, metrics, workflows }),
    webhooks,
    remoteAgents: createRemoteAgents(remoteAgentEntries(config), readOwnVariables),
    ...mcp,
    crm: crmOf(config),
    mail: config.ALFRED_SMTP_URL ? createSmtpTransport({ url: config.ALFRED_SMTP_URL }) : undefined,
    /** Begins to listen for events, and logs when they do not arrive. */
    startListening: () => listener.start(),
    async close(): Promise<void> {
      const open = [knowledge, listener, leases, audit.audit, mcp.mcpServers];
      await Promise.all(open.map((one) => one.close()));
    },
  };
}

function crmOf(config: AdapterEdge['config']) {
  const { ALFRED_CRM, ALFRED_CRM_TENANT: tenant, HUBSPOT_ACCESS_TOKEN: token, HUBSPOT_URL: url } = config;
  const isSet = ALFRED_CRM === 'hubspot' && token !== undefined && tenant !== undefined;
  return isSet ? createHubSpot({ tenant, token, url }) : undefined;
}

export type Adapters = ReturnType<typeof createAdapters>;
