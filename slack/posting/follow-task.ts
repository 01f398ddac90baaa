import type { SlackPost, TaskEvents } from '../../contract/ports/index.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { Clock } from '../api-calls/clock.ts';
import { applyToStream, emptyStreamedView, type StreamedView } from './streamed-view.ts';

export type TaskFollower = {
  current(): StreamedView;
  /** The task has ended, or was erased. No event follows. */
  hasEnded(): boolean;
  /** Fires when the task has ended: what waits to show its progress is no longer needed. */
  ended: AbortSignal;
  /** When the newest event came, on the clock. */
  changedAt(): number;
  /** Nothing is being shown: who shows the task waits for its next change. */
  isAwaited(): boolean;
  /**
   * Resolves at the next change after `seq`, or after this time.
   *
   * @throws what the reading of events threw, or the reason of the abort
   */
  changed(seq: number, withinMs: number): Promise<void>;
};

type Deps = { events: Pick<TaskEvents, 'follow'>; clock: Clock; post: SlackPost; signal: AbortSignal };

/** Folds the events of a task as they come. */
export function followTask({ events, clock, post, signal }: Deps): TaskFollower {
  let streamed = emptyStreamedView;
  let failure: Error | undefined;
  let isOver = false;
  let isAwaited = false;
  let changedAt = clock.now();
  let wake = () => {};
  const ended = new AbortController();

  async function follow() {
    const scope = { tenant: post.tenant, subject: post.subject };
    for await (const batch of events.follow(scope, post.taskId, 0, signal)) {
      streamed = batch.reduce(applyToStream, streamed);
      changedAt = clock.now();
      if (isEnded(streamed.view.status)) end();
      wake();
    }
  }

  const end = () => ended.abort(new Error('the task has ended'));

  follow()
    .catch((error: unknown) => (failure = error as Error))
    .finally(() => {
      isOver = !failure && !signal.aborted;
      if (isOver) end();
      wake();
    });

  return {
    current: () => streamed,
    hasEnded: () => isOver || isEnded(streamed.view.status),
    ended: ended.signal,
    changedAt: () => changedAt,
    isAwaited: () => isAwaited,

    async changed(seq, withinMs) {
      const isDue = () => signal.aborted || failure !== undefined || isOver || streamed.view.seq > seq;
      if (!isDue()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const cancel = clock.after(withinMs, resolve);
        signal.addEventListener('abort', wake, { once: true });
        isAwaited = true;
        await promise;
        isAwaited = false;
        cancel();
        signal.removeEventListener('abort', wake);
      }
      signal.throwIfAborted();
      if (failure) throw failure;
    },
  };
}
