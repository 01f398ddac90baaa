import { LRUCache } from 'lru-cache';
import { isRecord } from '../../contract/json.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';

/** How long a channel that is shared, or not any more, is taken for what it was. */
const cacheMs = 60_000;

/** @param found a channel as Slack describes it: people of other organisations or workspaces are in it, or invited */
export const isSharedChannel = (found: Record<string, unknown>): boolean =>
  [found.is_ext_shared, found.is_pending_ext_shared, found.is_org_shared].includes(true);

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
    const answer = await calls.call({ team, method: 'conversations.info', arguments: () => ({ channel }) });
    const isShared = isRecord(answer?.channel) && isSharedChannel(answer.channel);
    known.set(key, isShared);
    return isShared;
  };
}
