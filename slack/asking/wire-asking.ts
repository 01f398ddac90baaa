import type { Agents } from '../../agents/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { ChannelInfos } from '../channel-info.ts';
import type { RemoveFiles } from '../files/remove-files.ts';
import { wireReadFiles } from '../files/wire-files.ts';
import type { ObservedCall } from '../api-calls/slack-call.ts';
import type { SlackPorts } from '../slack-ports.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { createAdmit } from './admit.ts';
import { createAsk } from './ask.ts';
import { createLinkOfPerson } from './link-of-person.ts';
import { createNoticeChange } from './notice-change.ts';
import type { Notices } from './notices.ts';
import { createPeople } from './people.ts';
import { createReadThread } from './read-thread.ts';
import { createSlackPrincipals } from './slack-principals.ts';

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics'>;
  adapters: SlackPorts;
  agents: Agents;
  workspaces: Workspaces;
  apiUrl: string | undefined;
  calls: SlackCalls;
  infoOf: ChannelInfos;
  notices: Notices;
  removeFiles: RemoveFiles;
  observe: (call: ObservedCall) => void;
  /** The process stops. */
  signal: AbortSignal;
  onAsked: () => void;
};

/** What gives messages of people to conversations, with who may ask and how much. */
export function wireAsking({ edge, adapters, agents, workspaces, apiUrl, calls, notices, observe, ...more }: Wired) {
  const { infoOf, removeFiles, signal, onAsked } = more;
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
    isShared: async (team, channel) => (await infoOf({ team, channel }))?.isExternal === true,
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
