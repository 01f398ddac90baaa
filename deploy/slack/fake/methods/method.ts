import type { Events } from '../events.ts';
import type { State } from '../state.ts';
import { type Args, type Channel, type ChannelKind, type Message, SlackError, type Workspace } from '../types.ts';

export type Context = {
  state: State;
  events: Events;
  workspace: Workspace;
  /** The fake's own address. */
  url: string;
  /** Makes the address for a Socket Mode connection. */
  openSocket: () => string;
};

export type Method = {
  /** The token needs one of these scopes. */
  scopes?: string[];
  /** `app` methods take the app-level token, `none` take no token. */
  token?: 'bot' | 'app' | 'none';
  run(args: Args, context: Context): Args;
};

const channelScopes: Record<ChannelKind, string> = { public: 'channels', private: 'groups', im: 'im', mpim: 'mpim' };

/** @throws SlackError `missing_scope` */
export function requireScope({ workspace }: Context, needed: string[]): void {
  if (needed.some((scope) => workspace.scopes.has(scope))) return;
  throw new SlackError('missing_scope', { needed: needed.join(','), provided: [...workspace.scopes].join(',') });
}

/** `channels:history`, `groups:history` …, as the kind of channel asks for. */
export const requireChannelScope = (context: Context, channel: Channel, right: 'history' | 'read'): void =>
  requireScope(context, [`${channelScopes[channel.kind]}:${right}`]);

export const isMember = (channel: Channel, { workspace }: Context): boolean => channel.members.has(workspace.botUserId);

/**
 * A channel that the token can see. A private one that it is no member of is as one that does not exist.
 *
 * @throws SlackError `channel_not_found`
 */
export function findChannel(id: string | undefined, context: Context): Channel {
  const { state, workspace } = context;
  const name = id?.startsWith('#') ? id.slice(1) : undefined;
  const channel = name
    ? [...state.channels.values()].find((other) => other.name === name && other.team === workspace.id)
    : state.channels.get(id ?? '');
  const visible = channel?.team === workspace.id && (channel.kind === 'public' || isMember(channel, context));
  if (!visible) throw new SlackError('channel_not_found');
  return channel;
}

/** @throws SlackError `not_in_channel`, `is_archived`, `channel_not_found` */
export function findChannelToPost(id: string | undefined, context: Context): Channel {
  const user = context.state.users.get(id ?? '');
  const channel =
    user && user.id !== context.workspace.botUserId
      ? context.state.directMessage(context.workspace.id, user.id)
      : findChannel(id, context);
  if (channel.archived) throw new SlackError('is_archived');
  if (!isMember(channel, context) && !context.workspace.scopes.has('chat:write.public'))
    throw new SlackError('not_in_channel');
  return channel;
}

/** @throws SlackError with this code when it is none of the app's own messages */
export function findOwnMessage(channel: Channel, ts: string, notOwn: string, { workspace }: Context): Message {
  const message = channel.messages.find((other) => other.ts === ts && other.ephemeralTo === undefined);
  if (!message) throw new SlackError('message_not_found');
  if (message.botId !== workspace.botId) throw new SlackError(notOwn);
  return message;
}
