import type { SlackMessageOwner } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackAnswer, SlackCall, SlackCalls } from '../api-calls/api-calls.ts';
import { plainMessage, plainMessageWithButtons } from '../rendering/plain-message.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { postMetadataType } from './find-own-message.ts';
import { isContentRefused } from './post-errors.ts';

export type Options = Pick<SlackCall, 'isUrgent' | 'signal'>;
export type CallOptions = Pick<SlackCall, 'arguments'> & Options;
/** `threadTs`: empty for a message in the channel itself. */
type PostOptions = Options & { threadTs: string };
/** Asked right before the call. */
export type Render = () => SlackMessage;

type Deps = {
  calls: SlackCalls;
  log: Logger;
  post: SlackMessageOwner;
  signal: AbortSignal;
  checkLease: () => void;
};

/** Calls for the messages of one post. They are made in the order in which they are asked for. */
export function createMessageCalls({ calls, log, post, signal, checkLease }: Deps) {
  const { team, channel } = post;

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

  /** Slack refused the blocks: the words are shown as plain text, with the buttons where Slack takes those. */
  async function orPlain(render: Render, show: (render: Render) => Promise<SlackAnswer | undefined>) {
    try {
      return await show(render);
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      log.error(
        { err: error, taskId: post.taskId },
        'Slack refuses the blocks of a message, so its words are shown as plain text',
      );
    }
    try {
      return await show(() => plainMessageWithButtons(render()));
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      return await show(() => plainMessage(render()));
    }
  }

  const postMessage = (render: Render, { threadTs, ...options }: PostOptions) =>
    call('chat.postMessage', {
      ...options,
      arguments: () => ({
        ...(threadTs === '' ? {} : { thread_ts: threadTs }),
        ...render(),
        unfurl_links: false,
        unfurl_media: false,
        metadata: { event_type: postMetadataType, event_payload: { post: post.id } },
      }),
    });

  return {
    call,
    /** Asks for the message right before each attempt. */
    post: (render: Render, options: PostOptions) => orPlain(render, (shown) => postMessage(shown, options)),
    update: (ts: string, render: Render, options: Options) =>
      orPlain(render, (shown) => call('chat.update', { ...options, arguments: () => ({ ts, ...shown() }) })),
  };
}
