import type { Agents } from '../../agents/index.ts';
import type {
  Audit,
  Control,
  ConversationControl,
  ConversationRows,
  CurrentRights,
  Documents,
  IngestionEvents,
  RequestLimits,
  SlackChannels,
  SlackFiles,
  SlackPosts,
  SlackThreads,
  SlackUserLinks,
  Tenants,
} from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { RemoveFiles } from '../files/remove-files.ts';
import { wireReadFiles } from '../files/wire-files.ts';
import type { ObservedCall } from '../posting/wire-posting.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { createAdmit } from './admit.ts';
import { createAsk } from './ask.ts';
import { createLinkOfPerson } from './link-of-person.ts';
import { createNoticeChange } from './notice-change.ts';
import type { Notices } from './notices.ts';
import { createPeople } from './people.ts';
import { createReadThread } from './read-thread.ts';
import { createSharedChannels } from './shared-channels.ts';
import { createSlackPrincipals } from './slack-principals.ts';

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics'>;
  adapters: {
    audit: Audit;
    control: Pick<Control, 'ingestions'>;
    conversationRows: ConversationRows;
    documents: Documents;
    ingestionEvents: IngestionEvents;
    limits: RequestLimits;
    messages: ConversationControl;
    rights: CurrentRights;
    slackChannels: SlackChannels;
    slackFiles: SlackFiles;
    slackPosts: SlackPosts;
    slackThreads: SlackThreads;
    slackUserLinks: SlackUserLinks;
    tenants: Tenants;
  };
  agents: Agents;
  workspaces: Workspaces;
  apiUrl: string | undefined;
  calls: SlackCalls;
  notices: Notices;
  removeFiles: RemoveFiles;
  observe: (call: ObservedCall) => void;
  /** The process stops. */
  signal: AbortSignal;
  onAsked: () => void;
};

/** What gives messages of people to conversations, with who may ask and how much. */
export function wireAsking({ edge, adapters, agents, workspaces, apiUrl, calls, notices, observe, ...more }: Wired) {
  const { removeFiles, signal, onAsked } = more;
  const { config, log, metrics } = edge;
  const { slackThreads: threads, conversationRows: conversations } = adapters;
  const people = createPeople(calls, config.SLACK_LINK_BY_EMAIL);
  const admit = createAdmit({ limits: adapters.limits, metrics });
  const principals = createSlackPrincipals({
    people,
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
  const tokenOf = (team: string) => workspaces.tokenOf(team);
  const readFiles = wireReadFiles({ edge, adapters, calls, apiUrl, tokenOf, observe, signal });
  const ask = createAsk({
    config,
    agents,
    tenants: adapters.tenants,
    principals,
    threads,
    posts: adapters.slackPosts,
    conversations,
    messages: adapters.messages,
    audit: adapters.audit,
    files: adapters.slackFiles,
    readFiles,
    readThread: createReadThread({ calls, people, signal }),
    admit,
    notices,
    onAsked,
  });
  const noticeChange = createNoticeChange({ threads, conversations, removeFiles, notices });
  return { principals, admit, ask, noticeChange };
}
