import { actionIds, approvalOfValue } from '../rendering/actions.ts';
import { createDecide } from './decide.ts';
import { createFeedback } from './feedback.ts';
import { createGrant } from './grant.ts';
import type { ActingDeps } from './person.ts';
import { commentIn, pressIn, stoppedIn, submissionIn, type Press } from './press.ts';
import { createReview } from './review.ts';
import { createStop } from './stop.ts';
import { createUndo } from './undo.ts';

export type Acting = ReturnType<typeof createActing>;

/**
 * What people do with buttons and forms. Each person acts with their own rights, and everything is safe to repeat: what
 * Slack sends is stored, and handled again after a crash.
 */
export function createActing(deps: ActingDeps) {
  const decide = createDecide(deps);
  const review = createReview({ ...deps, decide });
  const stop = createStop(deps);
  const feedback = createFeedback(deps);

  async function decideAtOnce(press: Press, decision: 'approve' | 'deny'): Promise<void> {
    const refusal = await decide(press, approvalOfValue(press.value), { decision });
    if (refusal) await deps.notices.send(press, refusal.text);
  }

  const handlers: Record<string, (press: Press, receivedAt: Date) => Promise<void>> = {
    [actionIds.approve]: (press) => decideAtOnce(press, 'approve'),
    [actionIds.deny]: (press) => decideAtOnce(press, 'deny'),
    [actionIds.review]: (press) => review.open(press, approvalOfValue(press.value)),
    [actionIds.grant]: createGrant(deps),
    [actionIds.stop]: (press) => stop.button(press),
    [actionIds.undo]: createUndo(deps),
    [actionIds.feedback]: (press, receivedAt) => feedback.press(press, receivedAt),
  };

  return {
    async press(body: object, receivedAt: Date): Promise<void> {
      const press = pressIn(body);
      if (press) await handlers[press.actionId]?.(press, receivedAt);
    },
    async submit(body: object): Promise<void> {
      const submission = submissionIn(body);
      if (submission) await review.submit(submission);
    },
    async comment(body: object, receivedAt: Date): Promise<void> {
      const comment = commentIn(body);
      if (comment) await feedback.comment(comment, receivedAt);
    },
    async stopped(body: object, receivedAt: Date): Promise<void> {
      const stopped = stoppedIn(body);
      if (stopped) await stop.thread(stopped, receivedAt);
    },
  };
}
