import { AlfredError, httpStatusOf } from '../contract/errors.ts';
import type { SlackDelivery } from '../contract/ports/index.ts';
import { isDatabaseUnavailable } from '../runtime/database/database-errors.ts';
import { isSlackCallError } from './api-calls/call-error.ts';
import { pressIn, submissionIn, type Act } from './acting/press.ts';
import type { Notices } from './asking/notices.ts';
import { questionIn, type Question } from './asking/question.ts';

/** Slack's names of errors that an operator puts right: the token is wrong, or lacks a scope. */
const ofOperator: ReadonlySet<string> = new Set(['invalid_auth', 'missing_scope', 'not_authed', 'token_expired']);

/** Whether the same may succeed later although no person changes the message. */
export function mayPass(error: unknown): boolean {
  if (error instanceof AlfredError) return httpStatusOf(error.code) === 503;
  if (isSlackCallError(error)) return error.effect === 'unknown' || ofOperator.has(error.code);
  return isDatabaseUnavailable(error);
}

/** After so many attempts, which are some seconds, the person reads that the message waits. */
export const attemptsBeforeNotice = 3;

const waits =
  'Something that I need does not answer at the moment. Your message is kept, and I answer it when it is back.';
const unknown =
  'Something went wrong on our side, and your message was not taken. Send it again; if it happens again, tell whoever runs Alfred.';

const pressWaits =
  'Something that I need does not answer at the moment. What you pressed is kept, and I do it when it is back.';
const pressFailed =
  'Something went wrong on our side, and nothing was done. Press again; if it happens again, tell whoever runs Alfred.';

type Deps = { notices: Notices; botUserId: Promise<string> };

/** Tells the person in Slack what became of a message that failed, or that waits. */
export function createFailureReports({ notices, botUserId }: Deps) {
  const questionOf = async ({ kind, body }: SlackDelivery): Promise<Question | undefined> =>
    kind === 'event' ? questionIn(body, await botUserId) : undefined;
  const actOf = ({ kind, body }: SlackDelivery): Act | undefined =>
    kind === 'interactive' ? (pressIn(body) ?? submissionIn(body)) : undefined;
  return {
    async reportFailure(delivery: SlackDelivery, error: unknown): Promise<void> {
      const question = await questionOf(delivery);
      // Where a line could not be posted, another one cannot be posted either.
      if (isSlackCallError(error)) return;
      const act = actOf(delivery);
      if (act) await notices.send(act, error instanceof AlfredError ? error.message : pressFailed);
      if (!question) return;
      await notices.send(question, error instanceof AlfredError ? error.message : unknown);
    },

    async reportWait(delivery: SlackDelivery): Promise<void> {
      const act = actOf(delivery);
      if (act) await notices.send(act, pressWaits);
      const question = await questionOf(delivery);
      if (question && (question.isDirect || question.mentionsAlfred)) await notices.send(question, waits);
    },
  };
}
