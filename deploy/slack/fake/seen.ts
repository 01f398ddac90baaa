import { idOf, type Ref } from './lookup.ts';
import { shownText, textOfBlocks } from './shown-text.ts';
import type { Prompts, State } from './state.ts';
import { threadKey } from './state.ts';
import type { Block, Message, StreamState, Version } from './types.ts';

/** A message as a person sees it. */
export type SeenMessage = {
  ts: string;
  user: string;
  /** The writer's name. */
  name: string;
  fromApp: boolean;
  /** All that is shown: blocks as plain text, buttons in brackets, attachments. */
  shown: string;
  /** The text for notifications, and what is shown without blocks. */
  text: string;
  blocks: Block[];
  threadTs: string | undefined;
  streaming: StreamState | undefined;
  edited: boolean;
  ephemeral: boolean;
  reactions: Record<string, number>;
  /** The names of its files, and their ids in the same order. */
  files: string[];
  fileIds: string[];
  /** What was shown before, oldest first; the last one is what is shown now. */
  versions: Version[];
};

export type SeenModal = {
  title: string;
  /** The words of its button, where it has one. */
  submit: string | undefined;
  callbackId: string;
  blocks: Block[];
  shown: string;
};

/** What people see. `as` is the person who looks: only they see what was sent to them alone. */
export function createSeen(state: State) {
  const seen = (message: Message): SeenMessage => ({
    ts: message.ts,
    user: message.user,
    name: state.users.get(message.user)?.name ?? message.user,
    fromApp: message.botId !== undefined,
    shown: shownText(message),
    text: message.text,
    blocks: message.blocks,
    threadTs: message.threadTs,
    streaming: state.streamState(message) as StreamState | undefined,
    edited: message.edited !== undefined,
    ephemeral: message.ephemeralTo !== undefined,
    reactions: Object.fromEntries([...message.reactions].map(([name, users]) => [name, users.size])),
    files: message.files.map((id) => state.files.get(id)?.name ?? id),
    fileIds: [...message.files],
    versions: [...message.versions],
  });

  const messagesOf = (channelRef: Ref): Message[] =>
    (state.channels.get(idOf(channelRef))?.messages ?? []).filter(({ hidden }) => !hidden);

  return {
    /** The messages of a thread with its first one; without a thread, what stands in the channel itself. */
    view: (channelRef: Ref, thread?: string, { as }: { as?: Ref } = {}): SeenMessage[] => {
      return messagesOf(channelRef)
        .filter(({ ephemeralTo }) => ephemeralTo === undefined || (as !== undefined && ephemeralTo === idOf(as)))
        .filter(({ ts, threadTs, broadcast }) =>
          thread === undefined
            ? threadTs === undefined || threadTs === ts || broadcast
            : ts === thread || threadTs === thread,
        )
        .map(seen);
    },
    /** Everything in a channel, threads too, that this person sees. */
    viewAll: (channelRef: Ref, { as }: { as?: Ref } = {}): SeenMessage[] => {
      const person = as === undefined ? undefined : idOf(as);
      return messagesOf(channelRef)
        .filter(({ ephemeralTo }) => ephemeralTo === undefined || ephemeralTo === person)
        .map(seen);
    },
    /** What the app says that it does in a thread. */
    status: (channelRef: Ref, thread: string): string | undefined => state.status(idOf(channelRef), thread)?.text,
    session: (channelRef: Ref, thread: string) => state.sessions.get(threadKey(idOf(channelRef), thread)),
    prompts: (channelRef: Ref, thread?: string): Prompts | undefined =>
      state.prompts.get(threadKey(idOf(channelRef), thread)),
    title: (channelRef: Ref, thread: string): string | undefined =>
      state.titles.get(threadKey(idOf(channelRef), thread)),
    /** The home tab: its blocks and their text. */
    home: (userRef: Ref): { blocks: Block[]; shown: string } | undefined => {
      const view = state.views.get(state.homes.get(idOf(userRef)) ?? '');
      if (!view) return undefined;
      const blocks = view.content['blocks'] as Block[];
      return { blocks, shown: textOfBlocks(blocks) };
    },
    /** The topmost modal. */
    modal: (userRef: Ref): SeenModal | undefined => {
      const view = state.views.get(state.modals.get(idOf(userRef))?.at(-1) ?? '');
      if (!view) return undefined;
      const { title, submit, callback_id, blocks } = view.content as {
        title: { text: string };
        submit?: { text: string };
        callback_id?: string;
        blocks: Block[];
      };
      const shown = textOfBlocks(blocks);
      return { title: title.text, submit: submit?.text, callbackId: callback_id ?? '', blocks, shown };
    },
    file: (id: string) => state.files.get(id),
  };
}
