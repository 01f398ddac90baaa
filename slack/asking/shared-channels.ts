import { LRUCache } from 'lru-cache';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { readChannel } from '../channel-info.ts';

/** How long a channel that is shared, or not any more, is taken for what it was. */
const cacheMs = 60_000;

/**
 * Whether people of other workspaces are in a channel. Of those of the same organisation (Enterprise Grid) no event
 * says that, and they may belong to another tenant.
 */
export function createSharedChannels(calls: Pick<SlackCalls, 'call'>) {
  const known = new LRUCache<string, boolean>({ max: 10_000, ttl: cacheMs });
  return async (team: string, channel: string): Promise<boolean> => {
    const key = `${team}:${channel}`;
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    const isShared = (await readChannel(calls, { team, channel }))?.isExternal === true;
    known.set(key, isShared);
    return isShared;
  };
}
