import type { webApi } from '@slack/bolt';
import { slashCommand } from './commands/command-list.ts';
import { askAboutShortcutId } from './rendering/actions.ts';

type Manifest = NonNullable<webApi.AppsManifestCreateArguments['manifest']>;
type ManifestEvent = NonNullable<
  NonNullable<NonNullable<Manifest['settings']>['event_subscriptions']>['bot_events']
>[number];
/** The library's type has not the event of the stop button yet. */
type BotEvent = ManifestEvent | 'agent_session_stopped';

/** The events that Alfred listens to, with the scope that Slack asks for. */
const scopesOfEvents = {
  agent_session_stopped: [],
  app_home_opened: [],
  app_mention: ['app_mentions:read'],
  app_uninstalled: [],
  file_deleted: ['files:read'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  'message.im': ['im:history'],
  'message.mpim': ['mpim:history'],
  tokens_revoked: [],
} as const satisfies Partial<Record<BotEvent, readonly string[]>>;

/** The methods that Alfred calls, with the scopes that Slack asks for. */
const scopesOfMethods = {
  'assistant.threads.setStatus': ['chat:write'],
  'auth.test': [],
  'chat.appendStream': ['chat:write'],
  'chat.getPermalink': [],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.startStream': ['chat:write'],
  'chat.stopStream': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'conversations.info': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.members': ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  'conversations.replies': ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  'files.completeUploadExternal': ['files:write'],
  'files.getUploadURLExternal': ['files:write'],
  'files.info': ['files:read'],
  'users.info': ['users:read'],
  'views.open': [],
  'views.publish': [],
} as const;

export const botEvents = Object.keys(scopesOfEvents).sort() as (keyof typeof scopesOfEvents)[];
export const botMethods: string[] = Object.keys(scopesOfMethods);
/** `assistant:write` is that of the agent view, `commands` that of the slash command and the shortcut. */
export const botScopes = [
  ...new Set([
    'assistant:write' as const,
    'commands' as const,
    ...Object.values(scopesOfEvents).flat(),
    ...Object.values(scopesOfMethods).flat(),
  ]),
].sort();
type BotScope = (typeof botScopes)[number] | 'users:read.email';

/** @param linksByEmail SLACK_LINK_BY_EMAIL is set: `users.info` then has to name addresses */
export const botScopesFor = ({ linksByEmail }: { linksByEmail: boolean }): BotScope[] =>
  linksByEmail ? [...botScopes, 'users:read.email'] : botScopes;

/** Describes the Slack app, for "Create New App > From a manifest". */
export const appManifest = {
  _metadata: { major_version: 2, minor_version: 1 },
  display_information: {
    name: 'Alfred',
    description: 'Answers questions from the documents of your company.',
    background_color: '#1f2937',
  },
  features: {
    bot_user: { display_name: 'Alfred', always_online: true },
    app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
    agent_view: { agent_description: 'Answers questions from the documents of your company, with sources.' },
    shortcuts: [
      {
        name: 'Ask Alfred about this',
        type: 'message',
        callback_id: askAboutShortcutId,
        description: 'Ask a question about this message, in its thread',
      },
    ],
    slash_commands: [
      {
        command: slashCommand,
        description: 'Ask Alfred, and see what it does for you',
        usage_hint: 'help | ask <question> | tasks | status <id> | documents <words>',
        // So that a command has the ids of the people that it names.
        should_escape: true,
      },
    ],
  },
  oauth_config: { scopes: { bot: botScopes } },
  settings: {
    event_subscriptions: { bot_events: botEvents as ManifestEvent[] },
    interactivity: { is_enabled: true },
    org_deploy_enabled: false,
    socket_mode_enabled: true,
    token_rotation_enabled: false,
  },
} satisfies Pick<Manifest, 'display_information' | 'features' | 'settings'> &
  Record<'_metadata' | 'oauth_config', object>;

/** Describes the app where SLACK_LINK_BY_EMAIL is set. */
export const appManifestWithEmail = {
  ...appManifest,
  oauth_config: { scopes: { bot: botScopesFor({ linksByEmail: true }) } },
};
