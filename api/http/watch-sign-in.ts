import type { ErrorCode } from '../../contract/errors.ts';
import type { SignIn } from '../../contract/ports/index.ts';

/** How often a credential that can be revoked is looked at. */
const checkEveryMs = 10_000;
/** A timer cannot wait longer. */
const longestTimerMs = 2_147_483_647;

/**
 * Watches whether a credential goes on to count, for a response that outlives its request.
 *
 * @param gone the response has ended: nothing is left to watch
 * @returns aborts when the credential has ended, with a code as its reason
 */
export function watchSignIn({ principal, expiresAt, isStillGood }: SignIn, gone: AbortSignal): AbortSignal {
  const ended = new AbortController();
  const isKey = principal.via === 'api_key';
  const end = (code: ErrorCode) => ended.abort(code);
  const timers: NodeJS.Timeout[] = [];
  const left = expiresAt && expiresAt.getTime() - Date.now();
  if (left !== undefined && left <= longestTimerMs)
    timers.push(setTimeout(() => end(isKey ? 'key_expired' : 'token_expired'), Math.max(0, left)));
  if (isStillGood)
    timers.push(
      setInterval(() => {
        void isStillGood().then((isGood) => {
          if (!isGood) end('key_revoked');
        });
      }, checkEveryMs),
    );
  const stop = () => timers.forEach((timer) => clearTimeout(timer));
  gone.addEventListener('abort', stop, { once: true });
  ended.signal.addEventListener('abort', stop, { once: true });
  if (gone.aborted) stop();
  return ended.signal;
}
