import type { SlackPost, SlackPostMessage, SlackPosts } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackAnswer, SlackCall, SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import type { BotIdentity } from './bot-identity.ts';
import { findOwnMessage, postMetadataType } from './find-own-message.ts';
import { isContentRefused, isRefused, isUndone, isUnchangeable, LeaseLost, MessageShared } from './post-errors.ts';

export type PostMessagesDeps = {
  posts: SlackPosts;
  calls: SlackCalls;
  clock: Clock;
  log: Logger;
  owner: string;
  post: SlackPost;
  /** Fires when this process must not show the post any more. */
  signal: AbortSignal;
  /** @throws LeaseLost when another process may have the post before a call has ended */
  checkLease: () => void;
  identify: (team: string, signal: AbortSignal) => Promise<BotIdentity>;
  /** Number of the newest event. */
  seq: () => number;
};

type Options = Pick<SlackCall, 'isUrgent' | 'signal'>;
type CallOptions = Pick<SlackCall, 'arguments'> & Options;
/** Asked right before the call. */
type Render = () => SlackMessage;

export type PostMessages = ReturnType<typeof createPostMessages>;

/**
 * The messages of one post. Before a call that makes a message, the row says `starting`, so that a process that takes
 * the post over can find the message.
 */
export function createPostMessages(deps: PostMessagesDeps) {
  const { posts, calls, clock, log, owner, post, signal, checkLease } = deps;
  const { team, channel } = post;
  let messages: SlackPostMessage[] = [...post.messages];

  async function save(changed: SlackPostMessage[]) {
    messages = changed;
    if (!(await posts.save(owner, post.id, { messages, seq: deps.seq() }))) throw new LeaseLost();
  }

  function call(method: string, { arguments: args, ...options }: CallOptions): Promise<SlackAnswer | undefined> {
    return calls.call({
      team,
      method,
      channel,
      order: post.id,
      signal,
      ...options,
      arguments: () => {
        checkLease();
        const given = args();
        return given && { channel, ...given };
      },
    });
  }

  const at = (index: number, message: SlackPostMessage) => messages.toSpliced(index, 1, message);
  const without = (index: number) => messages.toSpliced(index, 1);

  /** Two posts of one thread may have found the same message. Timestamps are stored before they are compared. */
  const isShared = async (ts: string) => (await posts.ownedTs(post)).filter((other) => other === ts).length > 1;

  /** Makes a message. Undefined: no call was needed, or the message must be made again. */
  async function make(index: number, state: 'streaming' | 'shown', begin: () => Promise<SlackAnswer | undefined>) {
    const startedAt = new Date(clock.now()).toISOString();
    await save(at(index, { ts: null, state: 'starting', startedAt }));
    let answer: SlackAnswer | undefined;
    try {
      answer = await begin();
    } catch (error) {
      if (isUndone(error)) await save(without(index));
      throw error;
    }
    if (!answer) {
      await save(without(index));
      return undefined;
    }
    const ts = String(answer.ts);
    await save(at(index, { ts, state, startedAt: new Date(clock.now()).toISOString() }));
    if (!(await isShared(ts))) return answer;
    // Another post that looked for a message of its own has taken this one, and fills it.
    await save(without(index));
    return undefined;
  }

  /** Slack refused the blocks: the words are shown without them. */
  async function orPlain(render: Render, show: (render: Render) => Promise<SlackAnswer | undefined>) {
    try {
      return await show(render);
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      log.error({ err: error, taskId: post.taskId }, 'Slack refuses the blocks of a message, so its text is shown');
      return await show(() => ({ text: render().text, blocks: [] }));
    }
  }

  const postMessage = (render: Render, options: Options) =>
    call('chat.postMessage', {
      ...options,
      arguments: () => ({
        thread_ts: post.threadTs,
        ...render(),
        unfurl_links: false,
        unfurl_media: false,
        metadata: { event_type: postMetadataType, event_payload: { post: post.id } },
      }),
    });

  /** A stream that another process began is never appended to: how much of it arrived is not known. */
  async function adopt(index: number, starting: SlackPostMessage) {
    const { startedAt } = starting;
    const owned = new Set(await posts.ownedTs(post));
    const bot = await deps.identify(team, signal);
    const ts = await findOwnMessage({ calls, post, bot, owned, startedAt, signal });
    log.info({ taskId: post.taskId, found: ts !== undefined }, 'a message may have been made before a takeover');
    if (ts === undefined) return save(without(index));
    await save(at(index, { ts, state: 'streaming', startedAt }));
    if (!(await isShared(ts))) return;
    await save(at(index, starting));
    throw new MessageShared('two posts have found one message; this one looks again later');
  }

  async function endStream() {
    const index = messages.findIndex(({ state }) => state === 'streaming');
    const stream = messages[index];
    if (!stream) return;
    try {
      await call('chat.stopStream', { isUrgent: true, arguments: () => ({ ts: stream.ts }) });
    } catch (error) {
      // It has ended already, or a person deleted the message: the next update shows that.
      if (!isRefused(error)) throw error;
    }
    await save(at(index, { ...stream, state: 'shown' }));
  }

  return {
    call,
    endStream,

    /** The first message; it shows the progress. */
    first: (): SlackPostMessage | undefined => messages[0],
    isStreaming: () => messages[0]?.state === 'streaming',

    /** Continues what another process has begun. */
    async recover(): Promise<void> {
      const index = messages.findIndex(({ state }) => state === 'starting');
      const starting = messages[index];
      if (starting) await adopt(index, starting);
      await endStream();
    },

    startStream: (options: CallOptions) => make(0, 'streaming', () => call('chat.startStream', options)),

    /** The stream takes nothing more. */
    markStreamEnded: () => save(messages.map((message) => ({ ...message, state: 'shown' }))),

    /** Makes the first message without a stream. */
    postFirst: (render: Render, stop: AbortSignal) =>
      make(0, 'shown', () => orPlain(render, (shown) => postMessage(shown, { signal: stop }))),

    /** @returns false when the message cannot be changed any more; then it is forgotten */
    async update(index: number, render: Render, options: Options = {}): Promise<boolean> {
      const ts = messages[index]?.ts;
      const change = (shown: Render) => call('chat.update', { ...options, arguments: () => ({ ts, ...shown() }) });
      try {
        await orPlain(render, change);
        return true;
      } catch (error) {
        if (!isUnchangeable(error)) throw error;
        await save(without(index));
        return false;
      }
    },

    /** Shows a message of the end. Repeating it changes nothing. */
    async showPart(index: number, message: SlackMessage): Promise<void> {
      const begin = () =>
        orPlain(
          () => message,
          (shown) => postMessage(shown, { isUrgent: true }),
        );
      // The messages after a lost one move up, so that the parts stay in order.
      while (messages[index]?.ts) if (await this.update(index, () => message, { isUrgent: true })) return;
      while (!(await make(index, 'shown', begin)));
    },

    forgetFirst: () => save(without(0)),
  };
}
