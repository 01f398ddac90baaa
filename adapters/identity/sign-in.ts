import type { IncomingHttpHeaders } from 'node:http';
import { AlfredError, type ErrorCode } from '../../contract/errors.ts';
import type { ApiKeys, BrowserSignIn, SignIn, Subjects } from '../../contract/ports/index.ts';
import { localPrincipal, type Principal } from '../../contract/principal.ts';
import type { IssuerSettings } from '../../runtime/identity-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { clockToleranceS, createAccessTokens } from './access-tokens.ts';
import { apiKeyIdIn, isApiKeyText } from '../../runtime/api-key-text.ts';
import { createLineBudget } from '../../runtime/line-budget.ts';
import { sessionCookieIn } from '../../runtime/session-cookie.ts';
import { createKeySignIn } from './key-sign-in.ts';
import { createSignInPauses, type Attempt } from './sign-in-pauses.ts';

type Deps = {
  issuers: IssuerSettings[];
  subjects: Subjects;
  apiKeys: Pick<ApiKeys, 'find' | 'recordUse'>;
  log: Pick<Logger, 'info' | 'warn'>;
  metrics?: Pick<Metrics, 'signIns' | 'signInPauses'> | undefined;
  fetch?: typeof fetch;
  keyCacheMs?: number;
  /** Sign-ins by browser, which verify the tokens that they keep as the tokens of requests are. */
  createBrowserSignIn?: ((signInByToken: (token: string) => Promise<SignIn>) => BrowserSignIn) | undefined;
};

/**
 * Finds out who sends a request, by its `Authorization` header: an access token of a configured issuer, or an API key.
 * Without an issuer, a request without the header comes from the user of this machine.
 */
export function createSignIn({
  issuers,
  subjects,
  apiKeys,
  log,
  metrics,
  fetch,
  keyCacheMs,
  createBrowserSignIn,
}: Deps) {
  const tokens = createAccessTokens({ issuers, log, ...(fetch && { fetch }) });
  const signInByKey = createKeySignIn({ apiKeys, log, cacheMs: keyCacheMs, hasIssuer: tokens.isConfigured });

  const pauses = createSignInPauses({ log, metrics });
  const lines = createLineBudget();

  async function signInByToken(token: string): Promise<SignIn> {
    if (!tokens.isConfigured)
      throw new AlfredError(
        'token_invalid',
        'No identity provider is set up here (OIDC_ISSUER), so only API keys count.',
      );
    const claims = await tokens.verify(token);
    await subjects.record(claims);
    return {
      principal: claims.principal,
      expiresAt: new Date(claims.expiresAt.getTime() + clockToleranceS * 1_000),
    };
  }

  const browserSignIn = createBrowserSignIn?.(signInByToken);

  /**
   * @param rawHeaders names and values as they came: Node keeps only the first of two `Authorization` headers
   * @param address of the client; without, its wrong credentials are not counted
   * @throws AlfredError with a code for the caller: `token_*`, `key_*`, `sign_ins_paused`, `identity_unavailable`
   */
  async function identify(
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    address?: string,
  ): Promise<SignIn> {
    let via: Principal['via'] | 'none' = 'none';
    let attempt: Attempt | undefined;
    try {
      const credential = credentialOf(headers, rawHeaders);
      const session =
        credential === undefined && browserSignIn
          ? sessionCookieIn(headers.cookie, browserSignIn.publicUrl)
          : undefined;
      if (session !== undefined && browserSignIn) {
        via = 'session';
        const signIn = await browserSignIn.identify(session);
        metrics?.signIns.inc({ via, outcome: 'ok' });
        return signIn;
      }
      if (credential === undefined) {
        if (tokens.isConfigured) throw new AlfredError('token_missing');
        via = 'local';
        metrics?.signIns.inc({ via, outcome: 'ok' });
        return { principal: localPrincipal };
      }
      const isKey = isApiKeyText(credential);
      via = isKey ? 'api_key' : 'oidc';
      if (address !== undefined) attempt = { address, isKey, keyId: apiKeyIdIn(credential) };
      const isPaused = attempt !== undefined && pauses.pauseMsOf(attempt) > 0;
      const signIn = await (isKey ? signInByKey(credential, isPaused) : signInByToken(credential));
      metrics?.signIns.inc({ via, outcome: 'ok' });
      return signIn;
    } catch (failure) {
      const error = attempt ? pauses.note(attempt, failure) : failure;
      const code: ErrorCode = error instanceof AlfredError ? error.code : 'internal';
      metrics?.signIns.inc({ via, outcome: code });
      if (error instanceof AlfredError) logRefusal({ via, code, reason: reasonOf(error) });
      throw error;
    }
  }

  function logRefusal(refusal: object) {
    const { isWithin, leftOut } = lines.take();
    if (leftOut > 0) log.warn({ leftOut }, 'more sign-ins were refused than are logged');
    if (isWithin) log.info(refusal, 'a sign-in was refused');
  }

  return {
    identify,
    browserSignIn,
    /** What keeps people from signing in, for health checks. */
    warning: () => tokens.warning(),
  };
}

/** @returns undefined without the header */
function credentialOf({ authorization }: IncomingHttpHeaders, rawHeaders: readonly string[]): string | undefined {
  const count = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'authorization').length;
  if (count > 1) throw new AlfredError('token_invalid', 'The request has two Authorization headers. Send one.');
  if (authorization === undefined) return undefined;
  // RFC 6750, section 2.1. The scheme may be in any case (RFC 9110, section 11.1).
  const [, token] = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? [];
  if (token === undefined)
    throw new AlfredError(
      'token_invalid',
      'The Authorization header is not understood. Send `Bearer` and an access token or an API key.',
    );
  return token;
}

/** Says nothing of what a token holds: reasons name claims, never their values. */
const reasonOf = ({ message, cause }: AlfredError) => (cause instanceof Error ? cause.message : message);
