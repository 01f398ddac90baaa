import { isRecord } from '../../contract/json.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import { pagesOf } from '../api-calls/pages.ts';
import { readChannel } from '../channel-info.ts';
import { isPlaceClosed } from '../posting/post-errors.ts';
import { clipText, context, escapeMrkdwn } from '../rendering/mrkdwn.ts';
import { plainMessage } from '../rendering/plain-message.ts';
import type { Admit } from './admit.ts';
import type { Question } from './question.ts';
import type { SlackPrincipals } from './slack-principals.ts';

const metadataType = 'alfred_question';
/** How many messages are read at a time for a question that an earlier attempt has posted. */
const mostRead = 999;

/** Where and by whom something is asked that Slack shows to no one yet. */
type Where = { team: string; channel: string; userId: string };

/** A question that Alfred posts for the person. */
export type AskedAloud = Where & {
  /** The same for repeats. */
  key: string;
  /** Undefined: the question begins a thread. */
  threadTs?: string | undefined;
  /** What people read. */
  shown: string;
  /** A line above it, as mrkdwn: what it is about. */
  about?: string | undefined;
  /** What Alfred reads. */
  text: string;
  /** The agent that the person names. */
  agent?: string | undefined;
};

type Place = { isDirect: boolean; isExternal: boolean };
type Deps = {
  calls: SlackCalls;
  principals: SlackPrincipals;
  admit: Admit;
  ask: (question: Question) => Promise<void>;
};

const notThere = 'I am not in this channel. Write `/invite @Alfred` here, or ask me in a direct message.';

export type AskAloud = ReturnType<typeof createAskAloud>;

/** Asks where no message of the person stands: posts the question for all to see, and answers in its thread. */
export function createAskAloud({ calls, principals, admit, ask }: Deps) {
  async function judge(where: Where): Promise<{ place: Place } | { refused: string } | { ignored: true }> {
    const place = await findPlace(calls, where);
    if (!place) return { refused: notThere };
    const judged = await principals.judge({ ...where, ...place });
    return 'principal' in judged ? { place } : judged;
  }

  /** Why a person has to wait who asks too much. A repeat is no other question. */
  async function whyWait({ team, channel, userId }: Where, attempts: number): Promise<string | undefined> {
    if (attempts > 1) return undefined;
    const judged = await principals.judge({ team, channel, userId, isDirect: true, isExternal: false });
    return 'principal' in judged ? admit(judged.principal, ['starts']) : undefined;
  }

  return {
    /** @returns why the person may not ask there, for its eyes alone; undefined when it may */
    async refusalOf(where: Where): Promise<string | undefined> {
      const judged = await judge(where);
      return 'refused' in judged ? judged.refused : undefined;
    },

    /** @returns what the person alone reads; undefined when the question is posted */
    async ask(asked: AskedAloud, attempts: number): Promise<string | undefined> {
      const { team, channel, userId, text, agent } = asked;
      const judged = await judge({ team, channel, userId });
      if ('ignored' in judged) return undefined;
      if ('refused' in judged) return judged.refused;
      const refusal = await whyWait(asked, attempts);
      if (refusal !== undefined) return refusal;
      const ts = (attempts > 1 ? await findQuestion(calls, asked) : undefined) ?? (await post(calls, asked));
      if (ts === undefined) return notThere;
      const thread = { team, channel, threadTs: asked.threadTs ?? ts, ts, userId };
      await ask({ ...thread, ...judged.place, text, agent, mentionsAlfred: true, isForOthers: false, files: [] });
      return undefined;
    },
  };
}

/** @returns undefined where Alfred is no member, as in the direct messages of others */
async function findPlace(calls: SlackCalls, { team, channel, userId }: Where): Promise<Place | undefined> {
  try {
    const found = await readChannel(calls, { team, channel });
    if (!found || (found.isDirect ? found.userId !== userId : found.isMember === false)) return undefined;
    return { isDirect: found.isDirect, isExternal: found.isExternal };
  } catch (error) {
    if (isPlaceClosed(error)) return undefined;
    throw error;
  }
}

/** @returns the message's timestamp; undefined where Alfred may not write */
async function post(calls: SlackCalls, { key, team, channel, userId, threadTs, shown, about }: AskedAloud) {
  const question = plainMessage({ text: '', blocks: [{ type: 'markdown', text: shown }] });
  const lines = [`<@${userId}> asks:`, ...(about === undefined ? [] : [about])];
  try {
    const answer = await calls.call({
      team,
      method: 'chat.postMessage',
      channel,
      arguments: () => ({
        channel,
        text: clipText(`<@${userId}> asks: ${escapeMrkdwn(shown)}`),
        blocks: [context(lines), ...question.blocks],
        unfurl_links: false,
        metadata: { event_type: metadataType, event_payload: { command: key } },
        ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
      }),
    });
    return typeof answer?.ts === 'string' ? answer.ts : undefined;
  } catch (error) {
    if (isPlaceClosed(error)) return undefined;
    throw error;
  }
}

/** The message that an earlier attempt has posted, so that a question is not there twice. */
async function findQuestion(
  calls: SlackCalls,
  { key, team, channel, threadTs }: AskedAloud,
): Promise<string | undefined> {
  const args = { channel, limit: mostRead, include_all_metadata: true };
  const pages =
    threadTs === undefined
      ? pagesOf(calls, { team, method: 'conversations.history' }, args)
      : pagesOf(calls, { team, method: 'conversations.replies' }, { ...args, ts: threadTs });
  try {
    for await (const { messages } of pages) {
      const found = Array.isArray(messages) ? messages.filter(isRecord) : [];
      const question = found.find(({ metadata }) => isOfCommand(metadata, key));
      // The newest of a channel come first. Of a thread they come last.
      if (question || threadTs === undefined) return question?.ts as string | undefined;
    }
    return undefined;
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
