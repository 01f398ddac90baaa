import { MessageRequest } from '../../contract/conversation.ts';
import { isRecord } from '../../contract/json.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import { plainTextOf } from '../asking/plain-text.ts';
import type { Question } from '../asking/question.ts';
import type { SlackPrincipals } from '../asking/slack-principals.ts';
import { isPlaceClosed } from '../posting/post-errors.ts';
import { clipText, context, escapeMrkdwn } from '../rendering/mrkdwn.ts';
import { plainMessage } from '../rendering/plain-message.ts';
import type { SlackCommand } from './command.ts';

const metadataType = 'alfred_question';
/** How many of the newest messages are read for a question that an earlier attempt has posted. */
const newestMessages = 200;

type Deps = { calls: SlackCalls; principals: SlackPrincipals; ask: (question: Question) => Promise<void> };

const notThere = 'I am not in this channel. Write `/invite @Alfred` here, or ask me in a direct message.';
const tooLong = 'I take questions of 20,000 characters. Send it in parts, or as a document.';
const empty = 'What is your question? Write it behind `/alfred ask`.';

/**
 * Asks in the place where the command was written: posts the question for all to see, and answers in its thread.
 *
 * @returns what the person alone reads; undefined when the question is posted
 */
export const createAskCommand =
  ({ calls, principals, ask }: Deps) =>
  async (command: SlackCommand, attempts: number): Promise<string | undefined> => {
    const { team, channel, userId, rest } = command;
    if (rest === '') return empty;
    const { data: text } = MessageRequest.shape.text.safeParse(plainTextOf(rest, ''));
    if (text === undefined) return tooLong;
    const place = await findPlace(calls, command);
    if (!place) return notThere;
    const judged = await principals.judge({ team, channel, userId, ...place });
    if ('ignored' in judged) return undefined;
    if ('refused' in judged) return judged.refused;
    const ts = (attempts > 1 ? await findQuestion(calls, command) : undefined) ?? (await post(calls, command, text));
    if (ts === undefined) return notThere;
    const thread = { team, channel, threadTs: ts, ts, userId };
    await ask({ ...thread, ...place, text, mentionsAlfred: true, isForOthers: false, files: [] });
    return undefined;
  };

/** @returns undefined where Alfred is no member, as in the direct messages of others */
async function findPlace(calls: SlackCalls, { team, channel, userId }: SlackCommand) {
  let found: unknown;
  try {
    const answer = await calls.call({ team, method: 'conversations.info', arguments: () => ({ channel }) });
    found = answer?.channel;
  } catch (error) {
    if (isPlaceClosed(error)) return undefined;
    throw error;
  }
  if (!isRecord(found)) return undefined;
  const isDirect = found.is_im === true;
  if (isDirect ? found.user !== userId : found.is_member === false) return undefined;
  return { isDirect, isExternal: found.is_ext_shared === true || found.is_pending_ext_shared === true };
}

/** @returns the message's timestamp; undefined where Alfred may not write */
async function post(calls: SlackCalls, { key, team, channel, userId }: SlackCommand, text: string) {
  const question = plainMessage({ text: '', blocks: [{ type: 'markdown', text }] });
  try {
    const answer = await calls.call({
      team,
      method: 'chat.postMessage',
      channel,
      arguments: () => ({
        channel,
        text: clipText(`<@${userId}> asks: ${escapeMrkdwn(text)}`),
        blocks: [context([`<@${userId}> asks:`]), ...question.blocks],
        unfurl_links: false,
        metadata: { event_type: metadataType, event_payload: { command: key } },
      }),
    });
    return typeof answer?.ts === 'string' ? answer.ts : undefined;
  } catch (error) {
    if (isPlaceClosed(error)) return undefined;
    throw error;
  }
}

/** The message that an earlier attempt has posted, so that a question is not there twice. */
async function findQuestion(calls: SlackCalls, { key, team, channel }: SlackCommand): Promise<string | undefined> {
  try {
    const answer = await calls.call({
      team,
      method: 'conversations.history',
      arguments: () => ({ channel, limit: newestMessages, include_all_metadata: true }),
    });
    const messages = Array.isArray(answer?.messages) ? answer.messages.filter(isRecord) : [];
    return messages.find(({ metadata }) => isOfCommand(metadata, key))?.ts as string | undefined;
  } catch (error) {
    // A question that stands there twice is better than one without an answer.
    if (isSlackCallError(error) && error.effect === 'refused') return undefined;
    throw error;
  }
}

const isOfCommand = (metadata: unknown, key: string) =>
  isRecord(metadata) &&
  metadata.event_type === metadataType &&
  isRecord(metadata.event_payload) &&
  metadata.event_payload.command === key;
