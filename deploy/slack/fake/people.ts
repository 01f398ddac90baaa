import { apiMessage } from './api-objects.ts';
import type { Delivery } from './deliveries.ts';
import type { Events } from './events.ts';
import { removeMessage, threadRoot } from './methods/chat.ts';
import { mimetypeOf, shareFiles } from './methods/files.ts';
import { apiView } from './methods/views.ts';
import type { State } from './state.ts';
import { threadKey } from './state.ts';
import type { Channel, Message, User } from './types.ts';

export type Ref = string | { id: string };

/** Names one message. */
export type MessageRef = { channel: string; ts: string };

/** What a person did, and what the app was sent about it. */
export type Act = MessageRef & { threadTs: string | undefined; deliveries: Delivery[] };

export type Upload = { name: string; content: string | Buffer; mimetype?: string };

export const idOf = (ref: Ref): string => (typeof ref === 'string' ? ref : ref.id);

/** As Slack stores what people type: three characters escaped, addresses as links, mentions as they are. */
const asTyped = (typed: string): string =>
  typed
    .split(/(<[@#!][^>]+>)/)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replaceAll('&', '&amp;')
            .replaceAll('<', '&lt;')
            .replaceAll('>', '&gt;')
            .replaceAll(/https?:\/\/[^\s]+/g, '<$&>'),
    )
    .join('');

export type People = ReturnType<typeof createPeople>;

/** What people do in Slack. Each function throws when Slack's window would not let the person do it. */
export function createPeople({ state, events, url }: { state: State; events: Events; url: () => string }) {
  const findUser = (ref: Ref): User => {
    const user = state.users.get(idOf(ref));
    if (!user) throw new Error(`The fake Slack has no user ${idOf(ref)}.`);
    return user;
  };
  const findChannel = (ref: Ref, user: User): Channel => {
    const channel = state.channels.get(idOf(ref));
    if (!channel) throw new Error(`The fake Slack has no channel ${idOf(ref)}.`);
    if (!channel.members.has(user.id)) throw new Error(`${user.name} is not in channel ${channel.id}.`);
    return channel;
  };
  const findMessage = ({ channel, ts }: MessageRef): Message => {
    const message = state.message(channel, ts);
    if (!message) throw new Error(`Channel ${channel} has no message ${ts}.`);
    return message;
  };
  const act = (message: Message, deliveries: Delivery[]): Act => ({
    channel: message.channel,
    ts: message.ts,
    threadTs: message.threadTs,
    deliveries,
  });
  const context = () => ({ state, events, url: url() });

  const say = (userRef: Ref, channelRef: Ref, typed: string, thread?: string): Act => {
    const user = findUser(userRef);
    const channel = findChannel(channelRef, user);
    const message = state.addMessage(channel, {
      user: user.id,
      text: asTyped(typed),
      threadTs: threadRoot(channel, thread),
    });
    return act(message, events.message(message));
  };

  return {
    findUser,
    findMessage,
    /** Writes a message; `thread` is the timestamp of the thread's first message. */
    say,
    /** Writes a message that mentions the app. */
    mention(userRef: Ref, channelRef: Ref, typed: string, thread?: string): Act {
      const user = findUser(userRef);
      const channel = findChannel(channelRef, user);
      return say(user.id, channel.id, `<@${state.workspaces.get(channel.team)?.botUserId ?? ''}> ${typed}`, thread);
    },
    /** Uploads files, with a message if there is one. */
    upload(
      userRef: Ref,
      channelRef: Ref,
      uploads: Upload | Upload[],
      { text = '', thread }: { text?: string; thread?: string } = {},
    ): Act & { files: string[] } {
      const user = findUser(userRef);
      const channel = findChannel(channelRef, user);
      const files = [uploads].flat().map(({ name, content, mimetype }) => {
        const file = {
          id: state.nextId('F'),
          team: channel.team,
          user: user.id,
          name,
          title: name,
          mimetype: mimetype ?? mimetypeOf(name),
          content: Buffer.from(content),
          createdAt: state.clock.now(),
          channels: new Set<string>(),
          deleted: false,
          complete: true,
        };
        state.files.set(file.id, file);
        return file;
      });
      const fields = { user: user.id, text: asTyped(text), threadTs: threadRoot(channel, thread) };
      const message = shareFiles(state, channel, files, fields);
      const shared = files.flatMap(({ id }) =>
        events.publish(channel.team, 'file_shared', 'files:read', {
          type: 'file_shared',
          file_id: id,
          file: { id },
          user_id: user.id,
          channel_id: channel.id,
          event_ts: state.nextTs(),
        }),
      );
      return { ...act(message, [...events.message(message), ...shared]), files: files.map(({ id }) => id) };
    },
    edit(userRef: Ref, ref: MessageRef, typed: string): Act {
      const user = findUser(userRef);
      const message = findMessage(ref);
      if (message.user !== user.id) throw new Error(`${user.name} did not write message ${ref.ts}.`);
      const previous = apiMessage(state, message, url());
      message.text = asTyped(typed);
      message.edited = { user: user.id, ts: state.nextTs() };
      state.recordVersion(message);
      return act(message, events.messageChanged(message, previous));
    },
    remove(userRef: Ref, ref: MessageRef): void {
      const user = findUser(userRef);
      const message = findMessage(ref);
      if (message.user !== user.id && !user.admin) throw new Error(`${user.name} may not delete message ${ref.ts}.`);
      const channel = state.channels.get(ref.channel);
      if (channel) removeMessage(context(), channel, message);
    },
    react(userRef: Ref, ref: MessageRef, name: string): Delivery[] {
      const user = findUser(userRef);
      const message = findMessage(ref);
      message.reactions.set(name, (message.reactions.get(name) ?? new Set()).add(user.id));
      return events.publish(message.team, 'reaction_added', 'reactions:read', {
        type: 'reaction_added',
        user: user.id,
        reaction: name,
        item_user: message.user,
        item: { type: 'message', channel: ref.channel, ts: ref.ts },
        event_ts: state.nextTs(),
      });
    },
    /** Opens the app: its home tab, or the tab with the conversations. */
    openApp(userRef: Ref, tab: 'home' | 'messages' = 'home'): Delivery[] {
      const user = findUser(userRef);
      const workspace = [...state.workspaces.values()].find(({ id }) => id === user.team);
      if (!workspace) return [];
      const channel = state.directMessage(workspace.id, user.id);
      const view = state.views.get(state.homes.get(user.id) ?? '');
      return events.publish(workspace.id, 'app_home_opened', undefined, {
        type: 'app_home_opened',
        user: user.id,
        channel: channel.id,
        tab,
        event_ts: state.nextTs(),
        ...(view && tab === 'home' ? { view: apiView(state, view, workspace) } : {}),
      });
    },
    /** Presses Slack's own stop button. The app's streams in the thread end at once; its status does not. */
    stop(userRef: Ref, channelRef: Ref, thread: string): Delivery[] {
      const user = findUser(userRef);
      const channel = findChannel(channelRef, user);
      const streaming = channel.messages.filter(
        (message) => message.threadTs === thread && state.streamState(message) === 'in_progress',
      );
      const processing = state.sessions.get(threadKey(channel.id, thread))?.status === 'processing';
      if (streaming.length === 0 && !processing && !state.status(channel.id, thread))
        throw new Error('Slack shows a stop button only while the app works in the thread.');
      for (const { stream } of streaming)
        if (stream) Object.assign(stream, { state: 'completed', stoppedByUser: true });
      return events.publish(channel.team, 'agent_session_stopped', undefined, {
        type: 'agent_session_stopped',
        channel: channel.id,
        user: user.id,
        thread_ts: thread,
        streaming_message_ts: streaming.map(({ ts }) => ts),
        event_ts: state.nextTs(),
      });
    },
  };
}
