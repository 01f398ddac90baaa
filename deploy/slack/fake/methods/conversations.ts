import { apiChannel, apiMessage } from '../api-objects.ts';
import { flag, number, required, strings, text } from '../args.ts';
import { type Args, type Channel, type Message, SlackError } from '../types.ts';
import { type Context, findChannel, isMember, type Method, requireChannelScope, requireScope } from './method.ts';

function findChannelToRead(args: Args, context: Context): Channel {
  const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
  requireChannelScope(context, channel, 'history');
  if (!isMember(channel, context)) throw new SlackError('not_in_channel');
  return channel;
}

/** One page, with the cursor for the next one. */
function page<Item>(items: Item[], args: Args, most: number): { items: Item[]; rest: Args } {
  const cursor = text(args, 'cursor');
  const start = cursor === undefined ? 0 : Number(Buffer.from(cursor, 'base64').toString('utf8'));
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor');
  const end = start + Math.min(Math.max(number(args, 'limit', most), 1), 1_000);
  const next = end < items.length ? Buffer.from(String(end)).toString('base64') : '';
  const rest = { has_more: next !== '', response_metadata: { next_cursor: next } };
  return { items: items.slice(start, end), rest };
}

/** @throws SlackError `invalid_ts_oldest`, `invalid_ts_latest` */
function timeIn(args: Args, name: 'oldest' | 'latest', usual: number): number {
  const given = text(args, name);
  if (given !== undefined && !/^\d+(\.\d+)?$/.test(given)) throw new SlackError(`invalid_ts_${name}`);
  return given === undefined ? usual : Number(given);
}

function between(messages: Message[], args: Args): Message[] {
  const oldest = timeIn(args, 'oldest', 0);
  const latest = timeIn(args, 'latest', Infinity);
  const inclusive = flag(args, 'inclusive');
  return messages.filter(({ ts }) => {
    const at = Number(ts);
    return (at > oldest && at < latest) || (inclusive && (at === oldest || at === latest));
  });
}

function render(messages: Message[], args: Args, { state, url }: Context): Args[] {
  const withMetadata = flag(args, 'include_all_metadata');
  return messages.map((message) => {
    const { metadata, ...shown } = apiMessage(state, message, url);
    return withMetadata && metadata !== undefined ? { ...shown, metadata } : shown;
  });
}

const history: Method = {
  run(args, context) {
    const channel = findChannelToRead(args, context);
    const roots = channel.messages.filter(
      ({ threadTs, ts, broadcast, ephemeralTo }) =>
        !ephemeralTo && (threadTs === undefined || threadTs === ts || broadcast),
    );
    const { items, rest } = page(between(roots, args).reverse(), args, 100);
    return { messages: render(items, args, context), ...rest };
  },
};

const replies: Method = {
  run(args, context) {
    const channel = findChannelToRead(args, context);
    const asked = channel.messages.find(({ ts }) => ts === text(args, 'ts'));
    if (!asked) throw new SlackError('thread_not_found');
    const root = asked.threadTs ?? asked.ts;
    const thread = channel.messages.filter(
      ({ ts, threadTs, ephemeralTo }) => !ephemeralTo && (ts === root || threadTs === root),
    );
    const [first, ...others] = thread;
    const kept = [...(first ? [first] : []), ...between(others, args)];
    const { items, rest } = page(kept, args, 1_000);
    return { messages: render(items, args, context), ...rest };
  },
};

const info: Method = {
  run(args, context) {
    const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
    requireChannelScope(context, channel, 'read');
    const { num_members, ...shown } = apiChannel(channel, context.workspace.botUserId);
    return { channel: flag(args, 'include_num_members') ? { ...shown, num_members } : shown };
  },
};

const members: Method = {
  run(args, context) {
    const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
    requireChannelScope(context, channel, 'read');
    const { items, rest } = page([...channel.members], args, 100);
    return { members: items, response_metadata: rest['response_metadata'] };
  },
};

const listAll: Method = {
  run(args, context) {
    requireScope(context, ['channels:read', 'groups:read', 'im:read', 'mpim:read']);
    const names: Record<string, string> = {
      public_channel: 'public',
      private_channel: 'private',
      im: 'im',
      mpim: 'mpim',
    };
    const given = strings(args, 'types').map((type) => names[type] ?? type);
    const kinds = given.length > 0 ? given : ['public'];
    const { botUserId, id } = context.workspace;
    const visible = [...context.state.channels.values()].filter(
      (channel) =>
        channel.team === id &&
        kinds.includes(channel.kind) &&
        (channel.kind === 'public' || isMember(channel, context)),
    );
    const { items, rest } = page(visible, args, 100);
    return {
      channels: items.map((channel) => apiChannel(channel, botUserId)),
      response_metadata: rest['response_metadata'],
    };
  },
};

const open: Method = {
  run(args, context) {
    requireScope(context, ['im:write', 'mpim:write']);
    const { state, workspace } = context;
    const given = text(args, 'channel');
    if (given !== undefined) return { channel: { id: findChannel(given, context).id } };
    const users = strings(args, 'users');
    if (users.length === 0) throw new SlackError('users_list_not_supplied');
    if (users.length > 8) throw new SlackError('too_many_users');
    for (const id of users) {
      const user = state.users.get(id);
      if (!user) throw new SlackError('user_not_found');
      if (user.deleted) throw new SlackError('user_disabled');
    }
    const before = state.channels.size;
    const channel =
      users.length === 1
        ? state.directMessage(workspace.id, users[0] ?? '')
        : state.addChannel({
            team: workspace.id,
            name: `mpdm-${users.join('--')}`,
            kind: 'mpim',
            members: new Set([...users, workspace.botUserId]),
            external: false,
          });
    return {
      channel: { id: channel.id },
      already_open: state.channels.size === before,
      no_op: state.channels.size === before,
    };
  },
};

export const conversationMethods: Record<string, Method> = {
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.info': info,
  'conversations.members': members,
  'conversations.list': listAll,
  'conversations.open': open,
};
