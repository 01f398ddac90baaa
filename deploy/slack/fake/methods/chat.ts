import { apiMessage } from '../api-objects.ts';
import { flag, list, record, required, text } from '../args.ts';
import type { Delivery } from '../deliveries.ts';
import { requireMessageBlocks } from '../blocks.ts';
import { messageLimits } from '../limits.ts';
import { threadKey, withBlockIds } from '../state.ts';
import { type Args, type Block, type Channel, type Message, SlackError } from '../types.ts';
import { type Context, findChannel, findChannelToPost, findOwnMessage, type Method } from './method.ts';

type Content = Pick<Message, 'text' | 'blocks' | 'attachments' | 'metadata'>;

const escape = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Bytes that a text has for Slack, which escapes three characters. */
export const sizeOfText = (value: string): number => Buffer.byteLength(escape(value.replaceAll(/&(amp|lt|gt);/g, '&')));

/** @throws SlackError as documented for `text`, `blocks`, `attachments` and `markdown_text` */
export function readContent(args: Args): Content & { given: { text: boolean; blocks: boolean } } {
  const blocks = list(args, 'blocks', 'invalid_blocks_format');
  const attachments = list(args, 'attachments', 'invalid_attachments') ?? [];
  const markdown = text(args, 'markdown_text');
  const plain = text(args, 'text');
  if (markdown !== undefined && (blocks !== undefined || plain !== undefined))
    throw new SlackError('markdown_text_conflict');
  if ((markdown?.length ?? 0) > messageLimits.markdownText) throw new SlackError('msg_too_long');
  if (attachments.length > messageLimits.attachments) throw new SlackError('too_many_attachments');
  requireMessageBlocks(blocks ?? []);
  const metadata = record(args, 'metadata', 'invalid_metadata_format');
  const given = { text: plain !== undefined || markdown !== undefined, blocks: blocks !== undefined };
  if (markdown !== undefined)
    return { text: markdown, blocks: [{ type: 'markdown', text: markdown }], attachments, metadata, given };
  return { text: plain ?? '', blocks: blocks ?? [], attachments, metadata, given };
}

function requireSomething({ text: plain, blocks, attachments }: Content): void {
  if (plain.trim() === '' && blocks.length === 0 && attachments.length === 0) throw new SlackError('no_text');
}

/** The root of the thread that a message belongs to. A reply to a reply goes to the same thread. */
export function threadRoot(channel: Channel, ts: string | undefined): string | undefined {
  if (ts === undefined) return undefined;
  const parent = channel.messages.find((message) => message.ts === ts);
  if (!parent) throw new SlackError('thread_not_found');
  return parent.threadTs ?? ts;
}

const hasReplies = (channel: Channel, root: string): boolean =>
  channel.messages.some(({ ts, threadTs, ephemeralTo }) => threadTs === root && ts !== root && !ephemeralTo);

/** Slack removes the status of a thread when the app writes there. */
export const clearStatus = ({ state }: Context, channel: Channel, thread: string | undefined): void => {
  state.statuses.delete(threadKey(channel.id, thread));
};

const answer = (context: Context, channel: Channel, message: Message, warnings: Block = {}): Args => ({
  channel: channel.id,
  ts: message.ts,
  message: apiMessage(context.state, message, context.url),
  ...warnings,
});

const postMessage: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const channel = findChannelToPost(required(args, 'channel', 'channel_not_found'), context);
    const { given: _, ...content } = readContent(args);
    requireSomething(content);
    const threadTs = threadRoot(channel, text(args, 'thread_ts'));
    const cut = content.text.length > messageLimits.postedText;
    const message = context.state.addMessage(channel, {
      ...content,
      text: content.text.slice(0, messageLimits.postedText),
      blocks: withBlockIds(content.blocks),
      user: context.workspace.botUserId,
      botId: context.workspace.botId,
      threadTs,
      broadcast: flag(args, 'reply_broadcast'),
    });
    clearStatus(context, channel, threadTs ?? message.ts);
    context.events.message(message);
    return answer(context, channel, message, cut ? { response_metadata: { warnings: ['message_truncated'] } } : {});
  },
};

const postEphemeral: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const channel = findChannelToPost(required(args, 'channel', 'channel_not_found'), context);
    const user = required(args, 'user', 'user_not_in_channel');
    if (!channel.members.has(user)) throw new SlackError('user_not_in_channel');
    const { given: _, ...content } = readContent(args);
    requireSomething(content);
    if (content.text.length > messageLimits.postedText) throw new SlackError('msg_too_long');
    const threadTs = threadRoot(channel, text(args, 'thread_ts'));
    // Slack shows an ephemeral message in a thread only if the thread has a reply already.
    const hidden = threadTs !== undefined && !hasReplies(channel, threadTs);
    const message = context.state.addMessage(channel, {
      ...content,
      blocks: withBlockIds(content.blocks),
      user: context.workspace.botUserId,
      botId: context.workspace.botId,
      threadTs,
      ephemeralTo: user,
      hidden,
    });
    return { message_ts: message.ts };
  },
};

const update: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const { state } = context;
    const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
    const message = findOwnMessage(channel, required(args, 'ts', 'message_not_found'), 'cant_update_message', context);
    const { given, ...content } = readContent(args);
    // With `markdown_text` the text is shown from a block, which has a limit of its own.
    if (text(args, 'text') !== undefined && sizeOfText(content.text) > messageLimits.updatedText)
      throw new SlackError('msg_too_long');
    if (state.streamState(message) === 'in_progress') throw new SlackError('streaming_state_conflict');
    if (!given.text && !given.blocks && content.attachments.length === 0) throw new SlackError('no_text');
    if (channel.archived) throw new SlackError('is_inactive');
    const previous = apiMessage(state, message, context.url);
    // Blocks stay only where neither blocks nor a text are given.
    if (given.blocks || given.text) message.blocks = withBlockIds(content.blocks);
    if (given.text) message.text = content.text;
    message.attachments = content.attachments;
    if (content.metadata) message.metadata = content.metadata;
    if (given.text && message.blocks.length === 0) message.edited = { user: message.user, ts: state.nextTs() };
    state.recordVersion(message);
    context.events.messageChanged(message, previous);
    return { ...answer(context, channel, message), text: message.text };
  },
};

/** Removes a message. A thread's root with replies becomes a tombstone, so that the replies stay. */
export function removeMessage(
  { state, events, url }: Pick<Context, 'state' | 'events' | 'url'>,
  channel: Channel,
  message: Message,
): Delivery[] {
  const previous = apiMessage(state, message, url);
  if (!hasReplies(channel, message.ts)) {
    channel.messages = channel.messages.filter((other) => other !== message);
    return events.messageDeleted(channel, previous);
  }
  const empty = { blocks: [], attachments: [], files: [] };
  Object.assign(message, { subtype: 'tombstone', text: 'This message was deleted.', ...empty });
  state.recordVersion(message);
  return events.messageChanged(message, previous);
}

const remove: Method = {
  scopes: ['chat:write'],
  run(args, context) {
    const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
    const ts = required(args, 'ts', 'message_not_found');
    removeMessage(context, channel, findOwnMessage(channel, ts, 'cant_delete_message', context));
    return { channel: channel.id, ts };
  },
};

const getPermalink: Method = {
  run(args, context) {
    const channel = findChannel(required(args, 'channel', 'channel_not_found'), context);
    const ts = required(args, 'message_ts', 'message_not_found');
    if (!context.state.message(channel.id, ts)) throw new SlackError('message_not_found');
    return { channel: channel.id, permalink: `${context.url}/archives/${channel.id}/p${ts.replace('.', '')}` };
  },
};

export const chatMethods: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.postEphemeral': postEphemeral,
  'chat.update': update,
  'chat.delete': remove,
  'chat.getPermalink': getPermalink,
};
