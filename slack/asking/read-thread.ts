import { isRecord } from '../../contract/json.ts';
import { fitThread, type ThreadAbove, type ThreadMessage } from '../../contract/rules/thread-above.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError, type SlackCallError } from '../api-calls/call-error.ts';
import { isTokenProblem } from '../api-calls/token-problems.ts';
import { filesIn } from '../files/shared-file.ts';
import { createBotIdentities } from '../posting/bot-identity.ts';
import { oneLine, shorten } from '../rendering/cut.ts';
import type { People } from './people.ts';
import { plainTextOf } from './plain-text.ts';
import type { Question } from './question.ts';

/**
 * `messages`: what people still mean by “this” stands among the newest, and each writer costs a call for its name.
 * `characters`: with it a question stays within the 20,000 that a message may have, and far within a small model's
 * window.
 */
const most = { messages: 50, characters: 12_000 };
/** One long message, like a pasted log, leaves room for the others. */
const longestMessage = 4_000;
const longestName = 80;
/** Slack asks for pages of no more than 200. */
const pageSize = 200;
/** A burst of calls that the limits of the method let pass at once, with room for other threads. */
const mostPages = 5;
/** A person who waits for an answer waits so long for what Slack limits, and then gets one without it. */
const usualWaitMs = 15_000;
/** So often a question waits for Slack when it does not answer. */
const mostAttempts = 3;

/** What stands above a question. `problem`: why that is not known, in a sentence for the person. */
export type FoundAbove = { above: ThreadAbove; problem: string | null };
export type ReadThread = (question: Question, attempts: number) => Promise<FoundAbove>;

type Deps = {
  calls: SlackCalls;
  people: People;
  /** The process stops: another one goes on. */
  signal: AbortSignal;
  waitMs?: number;
};
type Found = { messages: Record<string, unknown>[]; hasMore: boolean };
type Reading = { question: Question; botUserId: string; deadline: ReturnType<typeof linkAbort> };

const alone = 'so I answer your message alone. Write in it what I have to know.';

/**
 * Reads the messages above a question in its thread, which the person can read who asks. What is not for its readers
 * any more, like deleted messages, is left out; files are only named.
 *
 * @throws SlackCallError while Slack does not answer, or refuses the token for everything; the reason of the signal
 */
export function createReadThread({ calls, people, signal, waitMs = usualWaitMs }: Deps): ReadThread {
  const identify = createBotIdentities(calls);
  return async (question, attempts) => {
    const deadline = linkAbort([signal], { timeoutMs: waitMs });
    try {
      const { userId: botUserId } = await identify(question.team, deadline.signal);
      const reading = { question, botUserId, deadline };
      const found = await listMessages(calls, reading);
      return { above: await describe(people, found, reading), problem: null };
    } catch (error) {
      if (deadline.hasTimedOut())
        return { above: [], problem: `Slack did not let me read this thread in time, ${alone}` };
      if (!isSlackCallError(error) || isTokenProblem(error.code)) throw error;
      if (error.effect === 'unknown' && attempts < mostAttempts) throw error;
      return { above: [], problem: problemOf(error) };
    } finally {
      deadline.release();
    }
  };
}

const problemOf = ({ code }: SlackCallError): string =>
  code === 'missing_scope'
    ? `I may not read what stands above in this thread, ${alone} An admin can change that: install the app again with deploy/slack/manifest.yaml.`
    : `Slack did not let me read what stands above in this thread (${code}), ${alone}`;

/** The messages before the question, the oldest first, as Slack pages them. */
async function listMessages(
  calls: SlackCalls,
  { question: { team, channel, threadTs, ts }, deadline: { signal, hasTimedOut } }: Reading,
): Promise<Found> {
  const byTs = new Map<unknown, Record<string, unknown>>();
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const args = { channel, ts: threadTs, latest: ts, limit: pageSize, ...(cursor === undefined ? {} : { cursor }) };
    try {
      const answer = await calls.call({ team, method: 'conversations.replies', signal, arguments: () => args });
      const messages = Array.isArray(answer?.messages) ? answer.messages.filter(isRecord) : [];
      // Slack may send the first message with each page.
      for (const message of messages) if (Number(message.ts) < Number(ts)) byTs.set(message.ts, message);
      const metadata = answer?.response_metadata;
      const next = isRecord(metadata) ? metadata.next_cursor : undefined;
      cursor = typeof next === 'string' && next !== '' ? next : undefined;
    } catch (error) {
      // What was read in time is better than nothing.
      if (byTs.size === 0 || !hasTimedOut()) throw error;
    }
    if (cursor === undefined || hasTimedOut()) break;
  }
  const messages = [...byTs.values()].sort((a, b) => Number(a.ts) - Number(b.ts));
  return { messages, hasMore: cursor !== undefined };
}

/** Messages in words for a model. Of a long thread, its beginning and its end. */
async function describe(people: People, { messages, hasMore }: Found, reading: Reading): Promise<ThreadAbove> {
  const shown = messages.filter(isShown);
  const newest = shown.length > most.messages ? [...shown.slice(0, 1), ...shown.slice(1 - most.messages)] : shown;
  const names = await namesOf(people, newest, reading);
  const described: ThreadAbove = newest
    .map((message) => describeMessage(message, names, reading))
    // Of a message that only names Alfred no words are left.
    .filter(({ text, files }) => text !== '' || files.length > 0);
  if (newest.length < shown.length) described.splice(1, 0, 'left_out');
  return fitThread(hasMore ? [...described, 'left_out'] : described, most.characters);
}

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Whether people see it as a message with words or files. */
function isShown(message: Record<string, unknown>): boolean {
  if (message.hidden === true || message.subtype === 'tombstone') return false;
  return wordsOf(message).trim() !== '' || fileNamesOf(message).length > 0;
}

/** An app often has its words in attachments. Those of people are previews of links. */
function wordsOf(message: Record<string, unknown>): string {
  const attachments = isApp(message) && Array.isArray(message.attachments) ? message.attachments.filter(isRecord) : [];
  const parts = attachments.map(({ pretext, title, text, fallback }) => {
    const own = [pretext, title, text].map(textIn).filter((part) => part !== '');
    return own.length > 0 ? own.join('\n') : textIn(fallback);
  });
  return [textIn(message.text), ...parts].filter((part) => part !== '').join('\n');
}

const isApp = ({ bot_id: botId, subtype }: Record<string, unknown>) =>
  textIn(botId) !== '' || subtype === 'bot_message';

const fileNamesOf = ({ files }: Record<string, unknown>): string[] =>
  filesIn(files)
    .filter(({ mode }) => mode !== 'tombstone' && mode !== 'hidden_by_limit')
    .map(({ name }) => quoted(name));

/** On one line, and without what could end the quotation. */
const quoted = (name: string): string => `“${cleanName(name)}”`;
const cleanName = (name: string): string =>
  oneLine(name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}“”"<>|]+/gu, ' '), longestName);

/** The names of the people who wrote. One that Slack does not give is not worth a question without an answer. */
async function namesOf(
  people: People,
  messages: Record<string, unknown>[],
  { question: { team }, botUserId, deadline: { signal, hasTimedOut } }: Reading,
): Promise<Map<string, string>> {
  const writers = messages.filter((message) => !isApp(message)).map(({ user }) => textIn(user));
  const names = new Map<string, string>();
  for (const userId of new Set(writers)) {
    if (userId === '' || userId === botUserId) continue;
    const person = await people.find(team, userId, signal).catch((error: unknown) => {
      if (hasTimedOut() || (isSlackCallError(error) && error.effect === 'refused')) return undefined;
      throw error;
    });
    const name = cleanName(person?.name ?? '');
    if (name !== '') names.set(userId, name);
  }
  return names;
}

function describeMessage(
  message: Record<string, unknown>,
  names: Map<string, string>,
  { question, botUserId }: Reading,
): ThreadMessage {
  const userId = textIn(message.user);
  const withNames = wordsOf(message).replaceAll(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (mention, id: string) =>
    names.has(id) ? `<@${id}|${names.get(id)}>` : mention,
  );
  return {
    author: userId === botUserId ? 'you' : describeAuthor(message, names.get(userId), userId === question.userId),
    text: shorten(plainTextOf(withNames, botUserId), longestMessage),
    files: fileNamesOf(message),
  };
}

function describeAuthor(message: Record<string, unknown>, name: string | undefined, isAsker: boolean): string {
  if (isApp(message)) {
    const profile = isRecord(message.bot_profile) ? message.bot_profile : {};
    const appName = cleanName(textIn(message.username) || textIn(profile.name));
    return appName === '' ? 'an app' : `the app ${quoted(appName)}`;
  }
  const author = name === undefined ? 'a person' : quoted(name);
  return isAsker ? `${author}, who asks now,` : author;
}
