import { apiUser } from '../api-objects.ts';
import { list, required, strings, text } from '../args.ts';
import { messageLimits } from '../limits.ts';
import { threadKey } from '../state.ts';
import { type Args, type Channel, SlackError } from '../types.ts';
import { type Context, findChannel, findChannelToPost, type Method } from './method.ts';

const usersInfo: Method = {
  scopes: ['users:read'],
  run(args, { state, workspace }) {
    const user = state.users.get(required(args, 'user', 'user_not_found'));
    if (!user) throw new SlackError('user_not_found');
    return { user: apiUser(user, workspace.scopes.has('users:read.email')) };
  },
};

const usersLookup: Method = {
  scopes: ['users:read.email'],
  run(args, { state, workspace }) {
    const email = required(args, 'email', 'users_not_found').toLowerCase();
    const user = [...state.users.values()].find(
      (other) => other.team === workspace.id && other.email?.toLowerCase() === email,
    );
    if (!user || user.deleted) throw new SlackError('users_not_found');
    return { user: apiUser(user, true) };
  },
};

const usersList: Method = {
  scopes: ['users:read'],
  run(_args, { state, workspace }) {
    const users = [...state.users.values()].filter(({ team }) => team === workspace.id);
    return { members: users.map((user) => apiUser(user, workspace.scopes.has('users:read.email'))) };
  },
};

/** @throws SlackError `invalid_thread_ts` */
function findThread(args: Args, context: Context): { channel: Channel; thread: string } {
  const channel = findChannelToPost(required(args, 'channel_id', 'channel_not_found'), context);
  const thread = required(args, 'thread_ts', 'invalid_thread_ts');
  if (!channel.messages.some(({ ts }) => ts === thread)) throw new SlackError('invalid_thread_ts');
  return { channel, thread };
}

const setStatus: Method = {
  scopes: ['chat:write', 'assistant:write'],
  run(args, context) {
    const { channel, thread } = findThread(args, context);
    if (args['status'] === undefined) required(args, 'status');
    const loadingMessages = strings(args, 'loading_messages');
    if (loadingMessages.length > messageLimits.loadingMessages) throw new SlackError('invalid_arguments');
    const key = threadKey(channel.id, thread);
    const status = text(args, 'status');
    if (status === undefined) context.state.statuses.delete(key);
    else context.state.statuses.set(key, { text: status, loadingMessages, setAt: context.state.clock.now() });
    return {};
  },
};

const setSuggestedPrompts: Method = {
  scopes: ['assistant:write'],
  run(args, context) {
    const channel = findChannel(required(args, 'channel_id', 'channel_not_found'), context);
    const prompts = (list(args, 'prompts', 'invalid_arguments') ?? []).map((prompt) => ({
      title: required(prompt, 'title'),
      message: required(prompt, 'message'),
    }));
    if (prompts.length === 0 || prompts.length > messageLimits.suggestedPrompts)
      throw new SlackError('invalid_arguments');
    context.state.prompts.set(threadKey(channel.id, text(args, 'thread_ts')), { title: text(args, 'title'), prompts });
    return {};
  },
};

const setTitle: Method = {
  scopes: ['assistant:write'],
  run(args, context) {
    const { channel, thread } = findThread(args, context);
    context.state.titles.set(threadKey(channel.id, thread), required(args, 'title'));
    return {};
  },
};

const sessionStates = ['active', 'processing', 'suspended', 'closed'];

const setSession: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const { state } = context;
    const { channel, thread } = findThread(args, context);
    const status = required(args, 'status');
    if (!sessionStates.includes(status)) throw new SlackError('invalid_arguments');
    const key = threadKey(channel.id, thread);
    const known = state.sessions.get(key);
    const session = known ?? { status, title: text(args, 'title'), user: text(args, 'initiator_user_id') };
    state.sessions.set(key, { ...session, status });
    const canStop = state.app.events.has('agent_session_stopped');
    return {
      status,
      agent_status: status,
      title: session.title,
      ...(canStop ? {} : { warning: 'missing_agent_session_stopped_event_subscription' }),
    };
  },
};

const renameSession: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const { channel, thread } = findThread(args, context);
    const key = threadKey(channel.id, thread);
    const session = context.state.sessions.get(key);
    if (!session) throw new SlackError('session_not_found');
    const title = required(args, 'title');
    if (title.length > 200) throw new SlackError('invalid_arguments');
    context.state.sessions.set(key, { ...session, title });
    return { title };
  },
};

const react =
  (adds: boolean): Method['run'] =>
  (args, context) => {
    const channel = findChannelToPost(required(args, 'channel', 'channel_not_found'), context);
    const name = required(args, 'name', 'invalid_name').replaceAll(':', '');
    if (!/^[a-z0-9_+'-]+$/.test(name)) throw new SlackError('invalid_name');
    const message = context.state.message(channel.id, required(args, 'timestamp', 'bad_timestamp'));
    if (!message) throw new SlackError('message_not_found');
    const users = message.reactions.get(name) ?? new Set<string>();
    const { botUserId } = context.workspace;
    if (adds === users.has(botUserId)) throw new SlackError(adds ? 'already_reacted' : 'no_reaction');
    if (adds) users.add(botUserId);
    else users.delete(botUserId);
    if (users.size > 0) message.reactions.set(name, users);
    else message.reactions.delete(name);
    return {};
  };

export const peopleMethods: Record<string, Method> = {
  'users.info': usersInfo,
  'users.list': usersList,
  'users.lookupByEmail': usersLookup,
  'assistant.threads.setStatus': setStatus,
  'assistant.threads.setSuggestedPrompts': setSuggestedPrompts,
  'assistant.threads.setTitle': setTitle,
  'agents.sessions.setStatus': setSession,
  'agents.sessions.rename': renameSession,
  'reactions.add': { scopes: ['reactions:write'], run: react(true) },
  'reactions.remove': { scopes: ['reactions:write'], run: react(false) },
};
