import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import { socialSourceNames, type SocialSource } from '../../contract/social.ts';
import type { Logger } from '../../runtime/logger.ts';
import { boundedMs, retryAfterHeaderMs } from '../outbound/retry-after.ts';

/** A pause that is no longer is worth waiting for: the call is repeated after it. */
const shortPauseMs = 60_000;
/** When a source asks for a pause and does not say for how long. */
const usualPauseMs = 30_000;
/** A reset of more seconds is a time since 1970. */
const leastEpochS = 1_000_000_000;

/** The pauses that hosts of a source have asked for. They are those of this process. */
export function createSourcePauses({
  source,
  log,
  now,
}: {
  source: SocialSource;
  log: Pick<Logger, 'warn'>;
  now: () => number;
}) {
  const pausedUntil = new LRUCache<string, number>({ max: 1_000 });
  const errorOf = (until: number) => pauseError(socialSourceNames[source], until, until - now());

  function begin(host: string, ms: number, why: string): AlfredError {
    const until = Math.max(pausedUntil.get(host) ?? 0, now() + ms);
    pausedUntil.set(host, until);
    log.warn({ source, host, pauseS: Math.round(ms / 1_000), why }, 'a social source wants a pause');
    return errorOf(until);
  }

  return {
    /** Keeps this process from asking a host for a while. @returns the error to throw */
    begin,

    /** @returns the error to throw while a pause lasts */
    current(host: string): AlfredError | undefined {
      const until = pausedUntil.get(host) ?? 0;
      return until > now() ? errorOf(until) : undefined;
    },

    /** As long as the answer of a host asks for. @returns the error to throw */
    beginAsked: (host: string, status: number, headers: Headers): AlfredError =>
      begin(
        host,
        retryAfterHeaderMs(headers.get('retry-after') ?? '') ?? resetMs(headers, now()) ?? usualPauseMs,
        `status ${status}`,
      ),

    /** Reddit says with each answer how many requests are left. */
    noteRateLimit(host: string, headers: Headers): void {
      const left = Number(headers.get('x-ratelimit-remaining') ?? 'NaN');
      const ms = resetMs(headers, now());
      if (left < 1 && ms !== undefined) begin(host, ms, 'no requests are left');
    },
  };
}

/** `x-ratelimit-reset`, in seconds from now or since 1970, in milliseconds from now. At most one hour. */
function resetMs(headers: Headers, now: number): number | undefined {
  const seconds = Number(headers.get('x-ratelimit-reset') ?? 'NaN');
  return boundedMs(seconds > leastEpochS ? seconds * 1_000 - now : seconds * 1_000);
}

/** The call is not repeated after a long pause: no person waits for its answer any more. */
function pauseError(name: string, until: number, ms: number): AlfredError {
  const at = `${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return ms <= shortPauseMs
    ? new AlfredError('source_unreachable', `${name} asks for a pause until ${at}.`, { retryAfterMs: Math.max(ms, 1) })
    : new AlfredError('source_refused', `${name} asks for a pause until ${at}. Ask again after that.`);
}
