import { LRUCache } from 'lru-cache';
import type { SlackPost } from '../../contract/ports/index.ts';
import type { Clock } from '../api-calls/clock.ts';
import { isPlaceClosed } from './post-errors.ts';

/** How long a channel that took nothing is not asked again. */
const closedMs = 60_000;

type Place = Pick<SlackPost, 'team' | 'channel' | 'threadTs'>;

/**
 * Channels that have taken nothing lately. What no one has asked for there waits without a call and without a place: it
 * is tried for a day, and there may be much of it.
 */
export function createClosedChannels(clock: Clock) {
  const closed = new LRUCache<string, { error: Error; until: number }>({ max: 1_000 });
  const keyOf = ({ team, channel }: Place) => `${team}:${channel}`;

  return {
    /** @throws why the channel took nothing a moment ago */
    check(post: Place): void {
      const found = post.threadTs === '' ? closed.get(keyOf(post)) : undefined;
      if (found && clock.now() < found.until) throw found.error;
    },

    /** A call has failed. */
    note(post: Place, error: unknown): void {
      if (post.threadTs !== '' || !(error instanceof Error) || !isPlaceClosed(error)) return;
      // Known already: it was not asked again.
      if (closed.get(keyOf(post))?.error === error) return;
      closed.set(keyOf(post), { error, until: clock.now() + closedMs });
    },
  };
}
