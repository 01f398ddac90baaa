import { AlfredError } from '../../contract/errors.ts';

export type YoutubeLimits = { searches: number; units: number };
type Quota = keyof YoutubeLimits;

/** Days of the quota begin at midnight in this zone. */
const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Los_Angeles', dateStyle: 'short' });
const hourMs = 3_600_000;

/**
 * What this process has used of YouTube's daily quota. Searches are counted by themselves, everything else in units.
 *
 * Source: https://developers.google.com/youtube/v3/determine_quota_cost, read on 2026-11-29.
 */
export function createYoutubeQuota(limits: YoutubeLimits, now: () => number = Date.now) {
  let today = day.format(now());
  let used: YoutubeLimits = { searches: 0, units: 0 };
  const openAgain: Partial<Record<Quota, number>> = {};

  return {
    /** Counts calls before they are made. @throws AlfredError `source_refused` when the day has none left */
    use(quota: Quota, count: number): void {
      if (day.format(now()) !== today) {
        today = day.format(now());
        used = { searches: 0, units: 0 };
      }
      const isClosed = (openAgain[quota] ?? 0) > now();
      if (isClosed || used[quota] + count > limits[quota])
        throw usedUp(quota, isClosed ? undefined : limits[quota], now());
      used[quota] += count;
    },

    /** Of a call that was counted and never sent. */
    giveBack(quota: Quota): void {
      used[quota] = Math.max(0, used[quota] - 1);
    },

    /** YouTube reports that nothing is left. @returns the error to throw */
    close(quota: Quota): AlfredError {
      openAgain[quota] = nextDayMs(now());
      return usedUp(quota, undefined, now());
    },
  };
}
export type YoutubeQuota = ReturnType<typeof createYoutubeQuota>;

/** The next midnight in the zone, found by hours because a day there may have 23 or 25. */
export function nextDayMs(from: number): number {
  const today = day.format(from);
  let at = Math.floor(from / hourMs) * hourMs;
  while (day.format(at) === today) at += hourMs;
  return at;
}

function usedUp(quota: Quota, limit: number | undefined, now: number): AlfredError {
  const at = `${new Date(nextDayMs(now)).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const variable = quota === 'searches' ? 'YOUTUBE_SEARCHES_PER_DAY' : 'YOUTUBE_UNITS_PER_DAY';
  const whose = limit === undefined ? 'YouTube says so' : `${variable} is ${limit}`;
  return new AlfredError(
    'source_refused',
    `The ${quota} of today’s quota of YouTube are used up (${whose}). Ask again after ${at}.`,
  );
}
