import type { SlackPost } from '../../contract/ports/index.ts';
import { isRefused } from './post-errors.ts';
import type { Clock } from '../api-calls/clock.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';

/** Slack clears a status after two minutes. */
const refreshMs = 90_000;

/** The line in a thread that says what Alfred does. Nothing depends on it: its failures are only counted. */
export function createThreadStatus({ calls, clock, post, signal }: Deps) {
  let wanted = '';
  let shown: string | undefined;
  let shownAt = 0;
  let isRefusedHere = post.threadTs === '';
  let running: Promise<void> | undefined;

  const isDue = () => wanted !== shown || (wanted !== '' && clock.now() - shownAt >= refreshMs);

  async function send(isUrgent: boolean) {
    while (isDue() && !isRefusedHere) {
      let status = wanted;
      try {
        await calls.call({
          team: post.team,
          method: 'assistant.threads.setStatus',
          order: `status ${post.id}`,
          isUrgent,
          signal,
          arguments: () => {
            status = wanted;
            return { channel_id: post.channel, thread_ts: post.threadTs, status };
          },
        });
        shown = status;
        shownAt = clock.now();
      } catch (error) {
        // Not every conversation has a status. After another failure the next change tries again.
        isRefusedHere = isRefused(error);
        shown = status;
        shownAt = clock.now();
      }
    }
  }

  const update = (isUrgent = false) => (running ??= send(isUrgent).finally(() => (running = undefined)));

  return {
    /** Does not wait. */
    show(status: string): void {
      wanted = status;
      if (shown === undefined && status === '') return;
      void update();
    },

    /** A status may be there that another process has shown. */
    async clear(): Promise<void> {
      wanted = '';
      if (shown === undefined && post.attempts <= 1) return;
      await update(true);
    },
  };
}

type Deps = { calls: SlackCalls; clock: Clock; post: SlackPost; signal: AbortSignal };
