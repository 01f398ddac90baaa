import { AlfredError } from '../../contract/errors.ts';
import type { SlackPlace } from '../../contract/ports/index.ts';
import { isEnded } from '../../contract/task-status.ts';
import { createRecord, ownerOf, personOf, postAt, type ActingDeps } from './person.ts';
import type { Press, Stopped } from './press.ts';

const reason = 'Stopped in Slack.';
const notTheirs = 'Only who has asked in this thread stops it.';
const hasEnded = 'It has ended already.';

/** Stops what runs. In a channel everybody may who has asked in the thread. */
export function createStop(deps: ActingDeps) {
  const { threads, conversations, tasks, control, notices, audit } = deps;

  const hasAsked = async (place: SlackPlace, userId: string) =>
    (await threads.find(place))?.askers.includes(userId) === true;

  return {
    /** The button of a message. It stops the task of that message, and none that came after it. */
    async button(press: Press): Promise<void> {
      const principal = await personOf(deps, press);
      const post = principal && (await postAt(deps, press, press.value, principal));
      if (!post) return;
      const { taskId, userId } = post;
      const record = createRecord(deps, 'cancelTask', taskId);
      if (userId !== press.userId && !(await hasAsked(post, press.userId))) {
        record.refused(principal, new AlfredError('not_found'));
        return notices.send(press, notTheirs);
      }
      audit.check();
      const row = await control.tasks.cancel(ownerOf(post), taskId, { reason, by: principal.subject });
      if (!row || (isEnded(row.status) && row.status !== 'cancelled')) return notices.send(press, hasEnded);
      await record.done(principal);
    },

    /**
     * Slack's own button, which names the thread. What waits for its turn is answered after it.
     *
     * @param receivedAt a task that began later is another question's: this press was late, or is handled again
     */
    async thread(stopped: Stopped, receivedAt: Date): Promise<void> {
      const thread = await threads.find(stopped);
      const principal = thread && (await personOf(deps, stopped));
      if (!principal) return;
      if (!(await hasAsked(stopped, stopped.userId))) {
        createRecord(deps, 'stopConversation', thread.conversationId).refused(principal, new AlfredError('not_found'));
        return notices.send(stopped, notTheirs);
      }
      const owner = ownerOf(thread);
      const taskId = (await conversations.get(owner, thread.conversationId))?.runningTaskId ?? null;
      const running = taskId === null ? undefined : await tasks.get(owner, taskId);
      if (!running || new Date(running.startedAt ?? 0) > receivedAt) return;
      const record = createRecord(deps, 'cancelTask', running.id);
      audit.check();
      await control.tasks.cancel(owner, running.id, { reason, by: principal.subject });
      await record.done(principal);
    },
  };
}
