import type { SlackMessageOwner } from '../../contract/ports/index.ts';
import { isRecord } from '../../contract/json.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { pagesOf } from '../api-calls/pages.ts';
import type { BotIdentity } from './bot-identity.ts';
import { isPlaceClosed, isRefused } from './post-errors.ts';

/** The metadata of a message that shows a task. Slack takes none for a stream; that is found by its state. */
export const postMetadataType = 'alfred_post';

/** How far the clocks of this process and of Slack may be apart. */
const clockSkewMs = 120_000;

type Search = {
  calls: SlackCalls;
  post: SlackMessageOwner;
  /** The thread that is searched. Empty: the channel itself. */
  threadTs: string;
  identify: (team: string, signal: AbortSignal) => Promise<BotIdentity>;
  log: Pick<Logger, 'error'>;
  /** Timestamps of messages that belong to posts. */
  owned: ReadonlySet<string>;
  startedAt: string;
  signal: AbortSignal;
};

/**
 * Finds the message that a process made which then ended before it stored the message's timestamp.
 *
 * @param search.startedAt when that process began the call
 * @returns its timestamp; undefined when the call was not made
 */
export async function findOwnMessage(search: Search): Promise<string | undefined> {
  try {
    return await searchThread(search);
  } catch (error) {
    if (!isRefused(error) || isPlaceClosed(error)) throw error;
    // A second message is better than no answer.
    const { log, post } = search;
    log.error({ err: error, taskId: post.taskId }, 'Slack does not let the messages of a thread be read');
    return undefined;
  }
}

async function searchThread(search: Search): Promise<string | undefined> {
  const { post, owned, identify, signal } = search;
  const bot = await identify(post.team, signal);
  const oldest = Math.max(Number(post.questionTs), (Date.parse(search.startedAt) - clockSkewMs) / 1_000);
  const found = (await listMessages(search, oldest)).filter(
    ({ ts, user, bot_id: botId }) =>
      typeof ts === 'string' &&
      Number(ts) > oldest &&
      ts !== post.questionTs &&
      !owned.has(ts) &&
      (user === bot.userId || botId === bot.botId),
  );
  const marked = found.find(({ metadata }) => isOfPost(metadata, post.id));
  const stream =
    post.threadTs === ''
      ? undefined
      : found.find(({ metadata, streaming_state: state }) => !isRecord(metadata) && typeof state === 'string');
  return (marked ?? stream)?.ts as string | undefined;
}

const isOfPost = (metadata: unknown, id: string) =>
  isRecord(metadata) &&
  metadata.event_type === postMetadataType &&
  isRecord(metadata.event_payload) &&
  metadata.event_payload.post === id;

async function listMessages({ calls, post, threadTs, signal }: Search, oldest: number) {
  const { team, channel } = post;
  const isInThread = threadTs !== '';
  const method = isInThread ? 'conversations.replies' : 'conversations.history';
  const args = {
    channel,
    ...(isInThread ? { ts: threadTs } : {}),
    oldest: oldest.toFixed(6),
    limit: 200,
    include_all_metadata: true,
  };
  const messages: Record<string, unknown>[] = [];
  for await (const page of pagesOf(calls, { team, method, isUrgent: true, signal }, args))
    if (Array.isArray(page.messages)) messages.push(...page.messages.filter(isRecord));
  return messages;
}
