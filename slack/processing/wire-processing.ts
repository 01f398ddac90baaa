import { randomUUID } from 'node:crypto';
import type { Agents } from '../../agents/index.ts';
import type {
  Approvals,
  Audit,
  Control,
  ConversationControl,
  ConversationRows,
  CurrentRights,
  Documents,
  IngestionEvents,
  Ledger,
  SearchIndex,
  SlackChannels,
  SlackFeedback,
  SlackFiles,
  SlackInbox,
  SlackInstallations,
  SlackLinking,
  SlackPosts,
  SlackThreads,
  SlackUserLinks,
  Tasks,
  Tenants,
} from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackSettings } from '../../runtime/slack-settings.ts';
import { createActing } from '../acting/acting.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { createAsk } from '../asking/ask.ts';
import { createLinkOfPerson } from '../asking/link-of-person.ts';
import { createNoticeChange } from '../asking/notice-change.ts';
import type { Notices } from '../asking/notices.ts';
import { createPeople } from '../asking/people.ts';
import { createSharedChannels } from '../asking/shared-channels.ts';
import { createSlackPrincipals } from '../asking/slack-principals.ts';
import { createBoltApp } from '../bolt-app.ts';
import { wireCommands } from '../commands/wire-commands.ts';
import { attemptsBeforeNotice, createFailureReports, mayPass } from '../failures.ts';
import type { RemoveFiles } from '../files/remove-files.ts';
import { wireReadFiles } from '../files/wire-files.ts';
import type { Identity } from '../identify.ts';
import type { ObservedCall } from '../posting/wire-posting.ts';
import { createRefusals } from '../workspaces/refuse-delivery.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { inWorkspace } from './in-workspace.ts';
import { createProcessor } from './processor.ts';

type WiredAdapters = {
  approvals: Approvals;
  audit: Audit;
  control: Control;
  conversationRows: ConversationRows;
  documents: Documents;
  index: SearchIndex;
  ingestionEvents: IngestionEvents;
  ledger: Ledger;
  messages: ConversationControl;
  rights: CurrentRights;
  slackChannels: SlackChannels;
  slackFeedback: SlackFeedback;
  slackFiles: SlackFiles;
  slackInbox: SlackInbox;
  slackInstallations: SlackInstallations;
  slackLinking: SlackLinking;
  slackPosts: SlackPosts;
  slackThreads: SlackThreads;
  slackUserLinks: SlackUserLinks;
  tasks: Tasks;
  tenants: Tenants;
};

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics' | 'readiness'>;
  adapters: WiredAdapters;
  agents: Agents;
  settings: SlackSettings;
  workspaces: Workspaces;
  calls: SlackCalls;
  notices: Notices;
  removeFiles: RemoveFiles;
  observe: (call: ObservedCall) => void;
  /** The process stops. */
  signal: AbortSignal;
  onAsked: () => void;
};

type WiredPrincipals = Pick<Wired, 'adapters' | 'workspaces' | 'calls'> & {
  edge: Pick<Edge, 'config' | 'log' | 'metrics'>;
};

function wirePrincipals({ edge: { config, log, metrics }, adapters, workspaces, calls }: WiredPrincipals) {
  return createSlackPrincipals({
    people: createPeople(calls, config.SLACK_LINK_BY_EMAIL),
    linkOf: createLinkOfPerson({
      links: adapters.slackUserLinks,
      maxAgeDays: config.SLACK_LINK_MAX_AGE_DAYS,
      onChange: (outcome) => metrics.slackEmailLinks.inc({ outcome }),
      log,
    }),
    rights: adapters.rights,
    channels: adapters.slackChannels,
    isShared: createSharedChannels(calls),
    tenantOf: workspaces.tenantOf,
  });
}

/** What works through the stored deliveries of a workspace, once it is known who Alfred is there. */
export function wireProcessing({ edge, adapters, agents, settings, workspaces, ...more }: Wired) {
  const { calls, notices, removeFiles, observe, signal, onAsked } = more;
  const { config, log, metrics } = edge;
  const { slackThreads: threads, conversationRows: conversations } = adapters;
  const principals = wirePrincipals({ edge, adapters, workspaces, calls });
  const readFiles = wireReadFiles({
    edge,
    adapters,
    calls,
    apiUrl: settings.apiUrl,
    tokenOf: (team) => workspaces.tokenOf(team),
    observe,
    signal,
  });
  const ask = createAsk({
    config,
    agents,
    principals,
    threads,
    posts: adapters.slackPosts,
    conversations,
    messages: adapters.messages,
    audit: adapters.audit,
    files: adapters.slackFiles,
    readFiles,
    notices,
    onAsked,
  });
  const noticeChange = createNoticeChange({ threads, conversations, removeFiles, notices });
  const { replies, ...own } = wireCommands({ edge, adapters, agents, calls, settings, workspaces, principals, ask });
  const acting = createActing({
    ...adapters,
    principals,
    posts: adapters.slackPosts,
    threads,
    conversations,
    feedback: adapters.slackFeedback,
    onFeedback: (value) => metrics.slackFeedback.inc({ value }),
    notices,
    calls,
  });
  const refusals = createRefusals({
    workspaces,
    installations: settings.installing && adapters.slackInstallations,
    removeFiles,
    apiUrl: settings.apiUrl,
    log,
  });
  const appFor = ({ botId, botUserId }: Identity) =>
    createBoltApp({
      apiUrl: settings.apiUrl,
      identity: { botId, botUserId },
      ask,
      noticeChange,
      acting,
      endRevoked: refusals.endRevoked,
      ...own,
    });
  function openProcessor(identity: Promise<Identity>) {
    const app = identity.then(appFor);
    app.catch(() => undefined);
    const reports = createFailureReports({ notices, replies, threads, identity });
    return createProcessor({
      inbox: adapters.slackInbox,
      owner: randomUUID(),
      async handle(delivery, withoutPlace) {
        if (await refusals.refuse(delivery)) return;
        const { body, attempts, receivedAt } = inWorkspace(delivery, (await identity).team);
        const customProperties = { attempts, receivedAt, withoutPlace };
        await (await app).processEvent({ body, ack: async () => undefined, customProperties });
      },
      mayPass,
      onPutBack(delivery) {
        if (delivery.attempts === attemptsBeforeNotice)
          reports
            .reportWait(delivery)
            .catch((err: unknown) => log.warn({ err }, 'a person does not read that a message waits'));
      },
      reportFailure: (delivery, error) => reports.reportFailure(delivery, error),
      log,
      metrics,
    });
  }

  return {
    openProcessor,
    /** Of what comes from workspaces that are not let in: no person there reads of failures. */
    openRefuser: () => createRefuser({ inbox: adapters.slackInbox, refusals, log, metrics }),
  };
}

type RefuserDeps = Pick<Edge, 'log' | 'metrics'> & {
  inbox: SlackInbox;
  refusals: Pick<ReturnType<typeof createRefusals>, 'refuse'>;
};

const createRefuser = ({ inbox, refusals, log, metrics }: RefuserDeps) =>
  createProcessor({
    inbox,
    owner: randomUUID(),
    async handle(delivery) {
      if (!(await refusals.refuse(delivery))) throw new LetInMeanwhile();
    },
    mayPass: (error) => error instanceof LetInMeanwhile || mayPass(error),
    onPutBack: () => undefined,
    reportFailure: async () => undefined,
    log,
    metrics,
  });

/** The delivery is for the processor of its workspace. */
class LetInMeanwhile extends Error {
  constructor() {
    super('the workspace is let in now');
  }
}
