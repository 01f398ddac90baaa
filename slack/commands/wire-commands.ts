import type { Agents } from '../../agents/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { createAskAbout } from '../acting/ask-about.ts';
import type { Admit } from '../asking/admit.ts';
import { createAskAloud } from '../asking/ask-aloud.ts';
import type { Question } from '../asking/question.ts';
import type { SlackPrincipals } from '../asking/slack-principals.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { createPublishHome } from '../home/publish-home.ts';
import { createLinksOf } from '../links-of-post.ts';
import type { SlackPorts } from '../slack-ports.ts';
import { createAskCommand } from './ask-command.ts';
import { createChannelCommand } from './channel-command.ts';
import { createContactCommand } from './contact-command.ts';
import { createLinkCommands } from './link-commands.ts';
import { createReplies } from './replies.ts';
import { createCommands } from './run-command.ts';

type Deps = {
  edge: { config: Config } & Pick<Edge, 'log' | 'readiness'>;
  adapters: SlackPorts;
  agents: Agents;
  calls: SlackCalls;
  /** Of the settings of Slack. */
  settings: { apiUrl: string | undefined };
  workspaces: Pick<Workspaces, 'tenantOf' | 'nameOf'>;
  principals: SlackPrincipals;
  admit: Admit;
  ask: (question: Question) => Promise<void>;
};

/** The slash command and the home tab: what a person sees of its own work. */
export function wireCommands({ edge, adapters, agents, calls, settings, workspaces, ...asking }: Deps) {
  const { principals, admit, ask } = asking;
  const { config, log, readiness } = edge;
  const { tasks, approvals, ledger } = adapters;
  const linksOf = createLinksOf(config);
  const addressOf = (task: { agent: string; taskId: string }) => linksOf(task).task;
  const shared = { ...adapters, conversations: adapters.conversationRows, posts: adapters.slackPosts, addressOf };
  const replies = createReplies({ calls, apiUrl: settings.apiUrl });
  const aloud = createAskAloud({ calls, principals, admit, ask });
  const linkCommands = createLinkCommands({
    config,
    tenantOf: workspaces.tenantOf,
    nameOf: workspaces.nameOf,
    linking: adapters.slackLinking,
    links: adapters.slackUserLinks,
    calls,
    replies,
  });
  return {
    replies,
    runCommand: createCommands({
      ...shared,
      calls,
      config,
      agents,
      principals,
      admit,
      readiness,
      replies,
      ask: createAskCommand(aloud),
      channel: createChannelCommand({
        config,
        agents,
        tenants: adapters.tenants,
        channels: adapters.slackChannels,
        audit: adapters.audit,
        tenantOf: workspaces.tenantOf,
      }),
      contacts: createContactCommand({ ...adapters, config }),
      ...linkCommands,
      log,
    }),
    askAbout: createAskAbout({ aloud, calls, replies }),
    publishHome: createPublishHome({
      calls,
      principals,
      tasks,
      approvals,
      posts: adapters.slackPosts,
      ledger,
      addressOf,
    }),
  };
}
