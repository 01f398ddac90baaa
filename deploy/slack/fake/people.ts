import { apiMessage } from './api-objects.ts';
import type { Delivery } from './deliveries.ts';
import type { Events } from './events.ts';
import type { Lookup, MessageRef, Ref } from './lookup.ts';
import { removeMessage, threadRoot } from './methods/chat.ts';
import { mimetypeOf, shareFiles } from './methods/files.ts';
import type { State } from './state.ts';
import type { Channel, FileMode, Message, SlackFile, User } from './types.ts';

/** What a person did, and what the app was sent about it. */
export type Act = MessageRef & { threadTs: string | undefined; deliveries: Delivery[] };

/** `onlyNamed`: events name it only by its id, and the app must ask `files.info`. */
export type Upload = {
  name: string;
  content: string | Buffer;
  mimetype?: string;
  mode?: FileMode;
  onlyNamed?: boolean;
};

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

function addFile(state: State, upload: Upload, { user, channel }: { user: User; channel: Channel }): SlackFile {
  const { name, content, mimetype, mode, onlyNamed } = upload;
  const file: SlackFile = {
    id: state.nextId('F'),
    team: channel.team,
    user: user.id,
    name,
    title: name,
    mimetype: mimetype ?? mimetypeOf(name),
    content: Buffer.from(content),
    createdAt: state.clock.now(),
    channels: new Set(),
    deleted: false,
    mode,
    onlyNamed,
    complete: true,
  };
  state.files.set(file.id, file);
  return file;
}

function deleteFile({ state, events, lookup, url }: Deps, user: User, fileId: string): Delivery[] {
  const file = state.files.get(fileId);
  if (!file || (file.user !== user.id && !user.admin)) throw new Error(`${user.name} may not delete ${fileId}.`);
  const channels = [...file.channels].map((id) => lookup.channel(id));
  const shared = channels.flatMap(({ messages }) => messages.filter(({ files }) => files.includes(fileId)));
  const before = shared.map((message) => apiMessage(state, message, url()));
  file.deleted = true;
  const event = { type: 'file_deleted', file_id: fileId, event_ts: state.nextTs() };
  return [
    ...events.publish(file.team, 'file_deleted', 'files:read', event),
    ...shared.flatMap((message, index) => events.messageChanged(message, before[index] ?? {})),
  ];
}

type Deps = { state: State; events: Events; lookup: Lookup; url: () => string };

/** What people write and upload. Each function throws when Slack's window would not let the person do it. */
export function createPeople({ state, events, lookup, url }: Deps) {
  const act = ({ channel, ts, threadTs }: Message, deliveries: Delivery[]): Act => ({
    channel,
    ts,
    threadTs,
    deliveries,
  });

  const say = (userRef: Ref, channelRef: Ref, typed: string, thread?: string): Act => {
    const user = lookup.user(userRef);
    const channel = lookup.channelOf(channelRef, user);
    const threadTs = threadRoot(channel, thread);
    const message = state.addMessage(channel, { user: user.id, text: asTyped(typed), threadTs });
    return act(message, events.message(message));
  };

  const announceFile = ({ id, user }: SlackFile, channel: Channel): Delivery[] =>
    events.publish(channel.team, 'file_shared', 'files:read', {
      type: 'file_shared',
      file_id: id,
      file: { id },
      user_id: user,
      channel_id: channel.id,
      event_ts: state.nextTs(),
    });

  return {
    /** Writes a message; `thread` is the timestamp of the thread's first message. */
    say,
    /** Writes a message that mentions the app. */
    mention: (userRef: Ref, channelRef: Ref, typed: string, thread?: string): Act => {
      const { team } = lookup.channel(channelRef);
      return say(userRef, channelRef, `<@${state.workspaces.get(team)?.botUserId ?? ''}> ${typed}`, thread);
    },
    /** Uploads files, with a message if there is one. */
    upload: (
      userRef: Ref,
      channelRef: Ref,
      uploads: Upload | Upload[],
      { text = '', thread }: { text?: string; thread?: string } = {},
    ): Act & { files: string[] } => {
      const user = lookup.user(userRef);
      const channel = lookup.channelOf(channelRef, user);
      const files = [uploads].flat().map((upload) => addFile(state, upload, { user, channel }));
      const fields = { user: user.id, text: asTyped(text), threadTs: threadRoot(channel, thread) };
      const message = shareFiles(state, channel, files, fields);
      const deliveries = [...events.message(message), ...files.flatMap((file) => announceFile(file, channel))];
      return { ...act(message, deliveries), files: files.map(({ id }) => id) };
    },
    /** Shares a file that is in Slack already in another message. */
    shareAgain: (
      userRef: Ref,
      channelRef: Ref,
      fileId: string,
      { text = '', thread }: { text?: string; thread?: string } = {},
    ): Act => {
      const user = lookup.user(userRef);
      const channel = lookup.channelOf(channelRef, user);
      const file = state.files.get(fileId);
      if (!file || file.deleted) throw new Error(`The fake Slack has no file ${fileId}.`);
      const fields = { user: user.id, text: asTyped(text), threadTs: threadRoot(channel, thread) };
      const message = shareFiles(state, channel, [file], fields);
      return act(message, events.message(message));
    },
    /** Deletes a file, and leaves the messages that have it. */
    deleteFile: (userRef: Ref, fileId: string): Delivery[] =>
      deleteFile({ state, events, lookup, url }, lookup.user(userRef), fileId),
    edit: (userRef: Ref, ref: MessageRef, typed: string): Act => {
      const user = lookup.user(userRef);
      const message = lookup.message(ref, user);
      if (message.user !== user.id) throw new Error(`${user.name} did not write message ${ref.ts}.`);
      const previous = apiMessage(state, message, url());
      message.text = asTyped(typed);
      message.edited = { user: user.id, ts: state.nextTs() };
      state.recordVersion(message);
      return act(message, events.messageChanged(message, previous));
    },
    remove: (userRef: Ref, ref: MessageRef): Delivery[] => {
      const user = lookup.user(userRef);
      const message = lookup.message(ref, user);
      if (message.user !== user.id && !user.admin) throw new Error(`${user.name} may not delete message ${ref.ts}.`);
      return removeMessage({ state, events, url: url() }, lookup.channel(ref.channel), message);
    },
  };
}
