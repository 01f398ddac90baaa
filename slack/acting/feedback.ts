import type { FeedbackValue } from '../../contract/ports/index.ts';
import { feedbackOfValue } from '../rendering/actions.ts';
import { feedbackForm } from '../rendering/feedback-buttons.ts';
import { openForm } from './open-form.ts';
import { personOf, postAt, type ActingDeps } from './person.ts';
import { originText, type Act, type Comment, type Press } from './press.ts';

const thanks =
  'Thank you: I keep this with the question and the answer, for the people who improve me. The other button changes it.';
const withComment = 'Thank you: I keep your comment with the question and the answer, for the people who improve me.';
const tooLate = 'Thank you: I keep that this answer was not useful. To say why, press again.';
const later = 'You have pressed a button of this answer since, and that counts.';
const erased = 'This question and its answer were deleted in Alfred, so I keep nothing about them.';

/** What people think of answers. Each has one opinion of an answer, the newest. */
export function createFeedback(deps: ActingDeps) {
  const { feedback, onFeedback, calls, notices } = deps;

  /** @returns undefined when nothing is kept; then the person has read why */
  async function store(act: Act, about: { taskId: string; value: FeedbackValue; comment?: string; at: Date }) {
    const principal = await personOf(deps, act);
    const post = principal && (await postAt(deps, act, about.taskId, principal));
    if (!post) return undefined;
    const { team, userId } = act;
    const given = await feedback.give({ ...about, tenant: post.tenant, team, userId, subject: principal.subject });
    if (given?.isNew) onFeedback(about.value);
    if (given && !given.isLate) return given;
    await notices.send(act, given ? later : erased);
    return undefined;
  }

  return {
    async press(press: Press, at: Date): Promise<void> {
      const asked = feedbackOfValue(press.value);
      const given = asked && (await store(press, { ...asked, at }));
      if (!given) return;
      if (asked.value === 'useful') return notices.send(press, thanks);
      const view = feedbackForm(originText(press, { commented: asked.taskId }), given.comment);
      if (!(await openForm(calls, press, view))) await notices.send(press, tooLate);
    },

    async comment(comment: Comment, at: Date): Promise<void> {
      const { taskId, comment: written } = comment;
      const given = await store(comment, { taskId, value: 'not_useful', comment: written, at });
      if (given && written !== '') await notices.send(comment, withComment);
    },
  };
}
