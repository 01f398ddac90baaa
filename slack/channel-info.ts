import { isRecord } from '../contract/json.ts';
import type { SlackCalls } from './api-calls/api-calls.ts';
import type { Clock } from './api-calls/clock.ts';
import { remembered, type ChannelPlace } from './remembered.ts';

/** What Slack says of a channel. */
export type ChannelInfo = {
  isDirect: boolean;
  /** The other person of a direct message. */
  userId: string | undefined;
  /** Whether Alfred is in it. Of direct messages Slack does not say. */
  isMember: boolean | undefined;
  isPrivate: boolean;
  isExternal: boolean;
};

type Sharing = { is_ext_shared?: unknown; is_pending_ext_shared?: unknown; is_org_shared?: unknown };

/** Whether people of other organisations, or of other workspaces of this one, are in a channel, or are invited. */
export const isSharedOutside = (found: Sharing): boolean =>
  [found.is_ext_shared, found.is_pending_ext_shared, found.is_org_shared].includes(true);

/** @returns undefined when Slack's answer has no channel */
export async function readChannel(
  calls: Pick<SlackCalls, 'call'>,
  { team, channel }: ChannelPlace,
  signal?: AbortSignal,
): Promise<ChannelInfo | undefined> {
  const args = { channel };
  const answer = await calls.call({
    team,
    method: 'conversations.info',
    arguments: () => args,
    ...(signal && { signal }),
  });
  const found = answer?.channel;
  if (!isRecord(found)) return undefined;
  return {
    isDirect: found.is_im === true,
    userId: typeof found.user === 'string' ? found.user : undefined,
    isMember: typeof found.is_member === 'boolean' ? found.is_member : undefined,
    isPrivate: found.is_private !== false,
    isExternal: isSharedOutside(found),
  };
}

/**
 * What Slack says of channels, remembered for a minute. That people of another workspace of the same organisation
 * (Enterprise Grid) are in one, no event says.
 */
export const createChannelInfos = (calls: Pick<SlackCalls, 'call'>, clock: Clock) =>
  remembered(clock, (place, signal) => readChannel(calls, place, signal));
export type ChannelInfos = ReturnType<typeof createChannelInfos>;
