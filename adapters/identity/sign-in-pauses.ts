import { LRUCache } from 'lru-cache';
import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import { freeFailures, pauseMsAfter } from '../../contract/rules/request-limits.ts';
import { createLineBudget } from '../../runtime/line-budget.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';

/** Codes of credentials that are made up. One that has expired or is for another service was right once. */
const wrong: readonly ErrorCode[] = ['token_invalid', 'token_issuer', 'token_type', 'key_invalid'];

/** Failures are forgotten when there was none for so long. */
const forgottenMs = 1_800_000;
const mostCounted = 50_000;

type Failures = { count: number; pausedUntil: number };
type Counted = { name: string; free: number; credential: keyof typeof freeFailures };

/** Who tries to sign in: the client's address, and the id of the API key that it sends, if it is one. */
export type Attempt = { address: string; isKey: boolean; keyId: string | undefined };

type Deps = {
  log: Pick<Logger, 'warn'>;
  metrics?: Pick<Metrics, 'signInPauses'> | undefined;
  now?: (() => number) | undefined;
};

/**
 * Counts wrong credentials by address, and pauses an address that sends too many.
 *
 * A pause is for wrong credentials only. Each credential is still verified, because a right one costs others nothing:
 * so an attacker behind the same proxy, or who knows the id of a key, locks out none of those who sign in rightly. What
 * a pause takes from an attacker is the reason of each refusal, the reads of unknown keys that others wait for, and the
 * lines in the log.
 */
export function createSignInPauses({ log, metrics, now = Date.now }: Deps) {
  const failures = new LRUCache<string, Failures>({ max: mostCounted, ttl: forgottenMs });
  const lines = createLineBudget();

  function noteOne({ name, free, credential }: Counted, address: string) {
    const known = failures.get(name) ?? { count: 0, pausedUntil: 0 };
    if (known.pausedUntil > now()) return;
    known.count++;
    if (known.count > free) {
      const pauseMs = pauseMsAfter(known.count - free);
      known.pausedUntil = now() + pauseMs;
      metrics?.signInPauses.inc({ credential });
      if (lines.take().isWithin)
        log.warn({ address, credential, failures: known.count, pauseMs }, 'an address sends wrong credentials');
    }
    failures.set(name, known);
  }

  /** Milliseconds for which wrong credentials of an attempt are answered with a pause. 0: they are not. */
  const pauseMsOf = (attempt: Attempt): number =>
    Math.max(0, ...countedFor(attempt).map(({ name }) => (failures.get(name)?.pausedUntil ?? 0) - now()));

  return {
    pauseMsOf,

    /**
     * Notes what came of an attempt.
     *
     * @returns the error for the caller: within a pause it does not say what is wrong with the credential
     */
    note(attempt: Attempt, error: unknown): unknown {
      if (!(error instanceof AlfredError && wrong.includes(error.code))) return error;
      const pauseMs = pauseMsOf(attempt);
      if (pauseMs > 0) return new AlfredError('sign_ins_paused', undefined, { retryAfterMs: pauseMs, cause: error });
      for (const counted of countedFor(attempt)) noteOne(counted, attempt.address);
      return error;
    },
  };
}

function countedFor({ address, isKey, keyId }: Attempt): Counted[] {
  if (!isKey) return [{ name: `${address} token`, free: freeFailures.token, credential: 'token' }];
  const keys: Counted = { name: `${address} keys`, free: freeFailures.keys, credential: 'keys' };
  if (keyId === undefined) return [keys];
  return [{ name: `${address} key ${keyId}`, free: freeFailures.key, credential: 'key' }, keys];
}
