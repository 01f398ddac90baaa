import type { ErrorCode } from '../../contract/errors.ts';
import type { SignIn } from '../../contract/ports/index.ts';

/** How often a credential that can be revoked is looked at, and a share that can be taken back. */
const checkEveryMs = 5_000;
/** A timer cannot wait longer. */
const longestTimerMs = 2_147_483_647;

type Watched = SignIn & {
  /** Whether what is shown is still shared with who reads. Absent: it is the reader's own. */
  isStillReadable?: (() => Promise<boolean> | undefined) | undefined;
};

/**
 * Watches whether a credential goes on to count, and what it reads stays readable, for a response that outlives its
 * request.
 *
 * @param gone the response has ended: nothing is left to watch
 * @returns aborts when the credential or the share has ended, with a code as its reason
 */
export function watchSignIn(
  { principal, expiresAt, isStillGood, isStillReadable }: Watched,
  gone: AbortSignal,
): AbortSignal {
  const ended = new AbortController();
  const end = (code: ErrorCode) => ended.abort(code);
  let expiry: NodeJS.Timeout | undefined;
  let check: NodeJS.Timeout | undefined;

  function waitForEnd(endsAt: Date) {
    const left = endsAt.getTime() - Date.now();
    expiry = setTimeout(
      () => (left > longestTimerMs ? waitForEnd(endsAt) : end(endCode)),
      Math.min(Math.max(0, left), longestTimerMs),
    );
  }
  const endCode = (
    {
      local: 'token_expired',
      oidc: 'token_expired',
      session: 'session_ended',
      api_key: 'key_expired',
      slack: 'token_expired',
    } as const
  )[principal.via];
  if (expiresAt) waitForEnd(expiresAt);
  if (isStillGood || isStillReadable)
    check = setInterval(() => {
      void isStillGood?.().then((isGood) => {
        if (!isGood) end(principal.via === 'session' ? 'session_ended' : 'key_revoked');
      });
      // While the database does not answer, no event comes either.
      isStillReadable?.()?.then(
        (isReadable) => {
          if (!isReadable) end('not_found');
        },
        () => {},
      );
    }, checkEveryMs);
  const stop = () => {
    clearTimeout(expiry);
    clearInterval(check);
  };
  gone.addEventListener('abort', stop, { once: true });
  ended.signal.addEventListener('abort', stop, { once: true });
  if (gone.aborted) stop();
  return ended.signal;
}
