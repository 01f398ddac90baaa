import type { SlackMessageOwner, SlackPostMessage } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackAnswer, SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import type { BotIdentity } from './bot-identity.ts';
import { findOwnMessage } from './find-own-message.ts';
import { createMessageCalls, type CallOptions, type Options, type Render } from './message-calls.ts';
import { createMessageRows, type MessageStore } from './message-rows.ts';
import { isRefused, isUndone, isUnchangeable, MessageShared } from './post-errors.ts';

export type PostMessagesDeps = {
  posts: MessageStore;
  calls: SlackCalls;
  clock: Clock;
  log: Logger;
  owner: string;
  post: SlackMessageOwner;
  /** Fires when this process must not show the post any more. */
  signal: AbortSignal;
  /** @throws LeaseLost when another process may have the post before a call has ended */
  checkLease: () => void;
  identify: (team: string, signal: AbortSignal) => Promise<BotIdentity>;
  /** Number of the newest event. */
  seq: () => number;
};

export type PostMessages = ReturnType<typeof createPostMessages>;

/**
 * The messages of one post. Before a call that makes a message, the row says `starting`, so that a process that takes
 * the post over can find the message.
 */
export function createPostMessages(deps: PostMessagesDeps) {
  const { clock, post } = deps;
  const { call, ...content } = createMessageCalls(deps);
  const rows = createMessageRows(deps);

  /** What no one has asked for does not go before what people wait for. */
  const isUrgent = post.threadTs !== '';

  /** What stands in a channel by itself goes on in the thread of its first message. */
  const threadOf = (index: number): string => post.threadTs || (index === 0 ? '' : (rows.get(0)?.ts ?? ''));

  /** Makes a message. Undefined: no call was needed, or the message must be made again. */
  async function make(index: number, state: 'streaming' | 'shown', begin: () => Promise<SlackAnswer | undefined>) {
    const startedAt = new Date(clock.now()).toISOString();
    await rows.put(index, { ts: null, state: 'starting', startedAt });
    let answer: SlackAnswer | undefined;
    try {
      answer = await begin();
    } catch (error) {
      if (isUndone(error)) await rows.remove(index);
      throw error;
    }
    if (answer) {
      const ts = String(answer.ts);
      await rows.put(index, { ts, state, startedAt: new Date(clock.now()).toISOString() });
      // Another post that looked for a message of its own may have taken this one, and fills it.
      if (!(await rows.isShared(ts))) return answer;
    }
    await rows.remove(index);
    return undefined;
  }

  async function endStream() {
    const index = rows.find('streaming');
    const stream = rows.get(index);
    if (!stream) return;
    try {
      await call('chat.stopStream', { isUrgent: true, arguments: () => ({ ts: stream.ts }) });
    } catch (error) {
      // It has ended already, or a person deleted the message: the next update shows that.
      if (!isRefused(error)) throw error;
    }
    await rows.put(index, { ...stream, state: 'shown' });
  }

  return {
    call,
    endStream,

    /** The first message; it shows the progress. */
    first: (): SlackPostMessage | undefined => rows.get(0),
    isStreaming: () => rows.get(0)?.state === 'streaming',

    /** Continues what another process has begun. */
    async recover(): Promise<void> {
      const index = rows.find('starting');
      const starting = rows.get(index);
      if (starting) await adopt(deps, rows, { index, threadTs: threadOf(index), starting });
      await endStream();
    },

    startStream: (options: CallOptions) => make(0, 'streaming', () => call('chat.startStream', options)),

    /** The stream takes nothing more. */
    markStreamEnded: () => rows.markShown(),

    /** Makes the first message without a stream. */
    postFirst: (render: Render, stop: AbortSignal) =>
      make(0, 'shown', () => content.post(render, { signal: stop, threadTs: threadOf(0) })),

    /** @returns false when the message cannot be changed any more; then it is forgotten */
    async update(index: number, render: Render, options: Options = {}): Promise<boolean> {
      try {
        await content.update(rows.get(index)?.ts ?? '', render, options);
        return true;
      } catch (error) {
        if (!isUnchangeable(error)) throw error;
        await rows.remove(index);
        return false;
      }
    },

    /** Shows a message of the end. Repeating it changes nothing. */
    async showPart(index: number, message: SlackMessage): Promise<void> {
      const begin = () => content.post(() => message, { isUrgent, threadTs: threadOf(index) });
      // The messages after a lost one move up, so that the parts stay in order.
      while (rows.get(index)?.ts) if (await this.update(index, () => message, { isUrgent })) return;
      while (!(await make(index, 'shown', begin)));
    },

    forgetFirst: () => rows.remove(0),

    /** Stores up to which event the first message shows the task. */
    async rememberShown(seq: number): Promise<void> {
      const first = rows.get(0);
      if (first?.state === 'shown' && first.seq !== seq) await rows.put(0, { ...first, seq });
    },
  };
}

/** A stream that another process began is never appended to: how much of it arrived is not known. */
async function adopt(
  deps: PostMessagesDeps,
  rows: ReturnType<typeof createMessageRows>,
  { index, threadTs, starting }: { index: number; threadTs: string; starting: SlackPostMessage },
): Promise<void> {
  const { log, post } = deps;
  const { startedAt } = starting;
  const owned = new Set(await rows.ownedTs());
  const ts = await findOwnMessage({ ...deps, threadTs, owned, startedAt });
  log.info({ taskId: post.taskId, found: ts !== undefined }, 'a message may have been made before a takeover');
  if (ts === undefined) return rows.remove(index);
  await rows.put(index, { ts, state: 'streaming', startedAt });
  if (!(await rows.isShared(ts))) return;
  await rows.put(index, starting);
  throw new MessageShared('two posts have found one message; this one looks again later');
}
