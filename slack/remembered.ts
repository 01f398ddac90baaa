import { LRUCache } from 'lru-cache';
import { shareAbortable } from '../runtime/share-abortable.ts';
import type { Clock } from './api-calls/clock.ts';

/** How long what Slack has answered about a channel counts. */
const cacheMs = 60_000;
const mostKept = 10_000;

export type ChannelPlace = { team: string; channel: string };
const keyOf = ({ team, channel }: ChannelPlace) => `${team}:${channel}`;
const never = new AbortController().signal;

/** Asks once for all who ask at a time, and not again for a while. */
export function remembered<Answer>(clock: Clock, read: (place: ChannelPlace, signal: AbortSignal) => Promise<Answer>) {
  const known = new LRUCache<string, { answer: Answer; until: number }>({ max: mostKept });
  const share = shareAbortable(read, keyOf);
  return async (place: ChannelPlace, signal: AbortSignal = never): Promise<Answer> => {
    const found = known.get(keyOf(place));
    if (found && clock.now() < found.until) return found.answer;
    const until = clock.now() + cacheMs;
    const answer = await share(place, signal);
    known.set(keyOf(place), { answer, until });
    return answer;
  };
}
