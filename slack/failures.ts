import { AlfredError, httpStatusOf } from '../contract/errors.ts';
import type { SlackDelivery, SlackThreads } from '../contract/ports/index.ts';
import { isDatabaseUnavailable } from '../runtime/database/database-errors.ts';
import { isTemporalUnavailable } from '../runtime/temporal.ts';
import { isSlackCallError } from './api-calls/call-error.ts';
import { actIn, stoppedIn, type Stopped } from './acting/press.ts';
import type { Notices } from './asking/notices.ts';
import { isForAlfred, questionIn, tookPart, type Question } from './asking/question.ts';
import { commandIn, type SlackCommand } from './commands/command.ts';
import { linesMessage } from './commands/lines-message.ts';
import type { Replies } from './commands/replies.ts';
import type { Identity } from './identify.ts';
import { isPlaceClosed } from './posting/post-errors.ts';
import { inWorkspace } from './processing/in-workspace.ts';
import { escapeMrkdwn } from './rendering/mrkdwn.ts';

/** Slack's names of errors about a person, a form or a message that a repeat does not help. */
const lasting: ReadonlySet<string> = new Set([
  'cannot_dm_bot',
  'duplicate_external_id',
  'exchanged_trigger_id',
  'expired_trigger_id',
  'hash_conflict',
  'invalid_arg_name',
  'invalid_arguments',
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_trigger_id',
  'invalid_user_id',
  'markdown_text_conflict',
  'message_not_found',
  'msg_blocks_too_long',
  'msg_too_long',
  'no_text',
  'not_enabled',
  'not_found',
  'push_limit_reached',
  'too_many_blocks',
  'trigger_expired',
  'user_disabled',
  'user_not_found',
  'user_not_in_channel',
  'user_not_visible',
  'users_not_found',
  'view_too_large',
]);

/**
 * Whether the same may succeed later although no person changes the message. What Slack refuses passes in most cases:
 * an operator puts the token, a scope or a proxy right.
 */
export function mayPass(error: unknown): boolean {
  if (error instanceof AlfredError) return httpStatusOf(error.code) === 503;
  if (isSlackCallError(error)) return error.effect === 'unknown' || !(lasting.has(error.code) || isPlaceClosed(error));
  return isDatabaseUnavailable(error) || isTemporalUnavailable(error);
}

/** After so many attempts, which are some seconds, the person reads that the message waits. */
export const attemptsBeforeNotice = 3;

const waits =
  'Something that I need does not answer at the moment. Your message is kept, and I answer it when it is back.';
const unknown =
  'Something went wrong on our side, and your message was not taken. Send it again; if it happens again, tell the person who runs Alfred.';

const pressWaits =
  'Something that I need does not answer at the moment. What you pressed is kept, and I do it when it is back.';
const pressFailed =
  'Something went wrong on our side, and nothing was done. Press again; if it happens again, tell the person who runs Alfred.';
const gaveUp =
  'Something that I need did not answer for a day, so I gave this up. Try it again, and tell the person who runs Alfred.';

export const commandFailed =
  'Something went wrong on our side. Try it again; if it happens again, tell the person who runs Alfred.';

type Deps = {
  notices: Notices;
  replies: Replies;
  threads: Pick<SlackThreads, 'find'>;
  identity: Promise<Identity>;
};

/** What a delivery is about, which says who reads of it, and where. */
type About = { act?: Stopped | undefined; question?: Question | undefined; command?: SlackCommand | undefined };

/** @param unknown for an error that has no message for people */
function textOf(error: unknown, unknown: string): string {
  if (mayPass(error)) return gaveUp;
  return error instanceof AlfredError ? error.message : unknown;
}

/** Tells the person in Slack what became of a message, a command or a press that failed, or that waits. */
export function createFailureReports({ notices, replies, threads, identity }: Deps) {
  async function readDelivery(delivery: SlackDelivery): Promise<About> {
    const { team, botUserId } = await identity;
    const { kind, body } = inWorkspace(delivery, team);
    if (kind === 'command') return { command: commandIn(body) };
    if (kind === 'interactive') return { act: actIn(body) };
    return { act: stoppedIn(body), question: questionIn(body, botUserId) };
  }

  return {
    async reportFailure(delivery: SlackDelivery, error: unknown): Promise<void> {
      const { act, question, command } = await readDelivery(delivery);
      if (command) await replies.send(command, linesMessage(escapeMrkdwn(textOf(error, commandFailed)), []));
      // Where a line could not be posted, another one cannot be posted either.
      if (isSlackCallError(error) && /^chat\.post/.test(error.method)) return;
      if (act) await notices.send(act, textOf(error, pressFailed));
      if (!question) return;
      const isAsked =
        isForAlfred(question, false) || isForAlfred(question, tookPart(question, await threads.find(question)));
      if (isAsked) await notices.send(question, textOf(error, unknown));
    },

    /** A command reads that it waits where it is run. */
    async reportWait(delivery: SlackDelivery): Promise<void> {
      const { act, question } = await readDelivery(delivery);
      if (act) await notices.send(act, pressWaits);
      // Whether Alfred takes part in the thread is not asked: Postgres may be what is away.
      if (question && isForAlfred(question, false)) await notices.send(question, waits);
    },
  };
}
