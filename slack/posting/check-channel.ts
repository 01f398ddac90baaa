import type { SlackChannels, SlackRunResults } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import { pagesOf } from '../api-calls/pages.ts';
import type { ChannelInfos } from '../channel-info.ts';
import { remembered, type ChannelPlace } from '../remembered.ts';

const membersAtOnce = 999;

/** `owner_…`: the person whose schedule it is. */
export type ChannelRefusal = 'channel_shared' | 'channel_off' | 'owner_not_among' | 'owner_not_in_channel';

/** Nothing that no one has asked for there is posted in a channel. */
export class ChannelRefused extends Error {
  readonly code: ChannelRefusal;

  constructor(code: ChannelRefusal) {
    super(`Nothing is posted in this channel: ${code}`);
    this.name = 'ChannelRefused';
    this.code = code;
  }
}

/** `subject`: with whose rights it was made. Absent where it has nothing that a person may read and others may not. */
export type UnaskedPlace = { tenant: string; team: string; channel: string; subject?: string };

/** @throws ChannelRefused, or what the calls throw that it takes */
export type CheckChannel = (place: UnaskedPlace, signal: AbortSignal) => Promise<void>;

type Deps = {
  calls: Pick<SlackCalls, 'call'>;
  infoOf: ChannelInfos;
  clock: Clock;
  channels: Pick<SlackChannels, 'find'>;
  results: Pick<SlackRunResults, 'slackUsersOf'>;
  /** So long after the last sign-in a link counts. */
  maxAgeDays: number;
};

/**
 * Whether something may be posted in a channel where no one has asked for it. What a person's rights have made is for
 * channels that this person reads: public ones, and private ones with a Slack user that is linked with it.
 */
export function createCheckChannel({ calls, infoOf, clock, channels, results, maxAgeDays }: Deps): CheckChannel {
  const membersOf = remembered(clock, (place, signal) => readMembers(calls, place, signal));

  return async ({ tenant, team, channel, subject }, signal) => {
    const info = await infoOf({ team, channel }, signal);
    if (info?.isExternal) throw new ChannelRefused('channel_shared');
    if (subject === undefined) return;
    const { isOn, userIds } = await channels.find({ tenant, team, channel });
    if (!isOn) throw new ChannelRefused('channel_off');
    const isPrivate = info?.isPrivate !== false;
    if (!isPrivate && userIds === null) return;
    const owners = await results.slackUsersOf({ tenant, subject, team }, maxAgeDays);
    if (userIds && !owners.some((id) => userIds.includes(id))) throw new ChannelRefused('owner_not_among');
    if (!isPrivate) return;
    const members = owners.length > 0 ? await membersOf({ team, channel }, signal) : new Set<string>();
    if (!owners.some((id) => members.has(id))) throw new ChannelRefused('owner_not_in_channel');
  };
}

async function readMembers(
  calls: Pick<SlackCalls, 'call'>,
  { team, channel }: ChannelPlace,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const members = new Set<string>();
  const call = { team, method: 'conversations.members', signal };
  for await (const page of pagesOf(calls, call, { channel, limit: membersAtOnce }))
    if (Array.isArray(page.members)) for (const id of page.members) members.add(String(id));
  return members;
}
