import { LRUCache } from 'lru-cache';
import * as oidc from 'openid-client';
import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import type { BrowserSessions, BrowserSignIn, EndedSession, SignIn } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { BrowserSettings } from '../../runtime/browser-settings.ts';
import { createLineBudget } from '../../runtime/line-budget.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { boundUnknownReads } from './known-sessions.ts';
import { readLogoutToken } from './logout-token.ts';
import { createSeal, hashSessionId, isSessionId, newSessionId, type Seal } from './seal.ts';
import { createSessionEnd } from './end-session.ts';
import { createSessionTokens, tokensOf } from './session-tokens.ts';

/** However much it is used, a session ends after a working day. */
const sessionMs = 12 * 3_600_000;
/** How long a person has for the pages of the provider. */
const attemptMs = 10 * 60_000;
const timeoutS = 10;

const Attempt = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  endsAt: z.number(),
});

type Deps = {
  settings: BrowserSettings;
  sessions: BrowserSessions;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Verifies a token as if it had come with the request. */
  signInByToken: (token: string) => Promise<SignIn>;
  /** Hears of a session that the provider let go no further. */
  noteEnd: (session: EndedSession) => void;
};

/**
 * Signs people in at the identity provider by their browser: authorization code with PKCE, `state` and `nonce`
 * (RFC 9700). Tokens stay here, encrypted; the browser gets the id of a session.
 */
export function createBrowserSignIn({ settings, log, signInByToken, noteEnd, ...deps }: Deps): BrowserSignIn {
  const sessions = boundUnknownReads(deps.sessions);
  const { issuer, clientId, publicUrl, parameters, keys } = settings;
  const attempts = createSeal(keys, 'sign-in attempts');
  const tokenSeal = createSeal(keys, 'session tokens');
  /** An attempt counts once in a process, also when it fails: each is a request to the provider. */
  const usedStates = new LRUCache<string, true>({ max: 10_000, ttl: attemptMs });
  const lines = createLineBudget();
  const issuerKeys = createIssuerKeys({ issuer, log });
  const provider = createDiscovery(settings);
  const tokens = createSessionTokens({ sessions, provider, seal: tokenSeal, settings, log, noteEnd });

  /** Whether the session goes on for the same person with the same roles, by its token of now. */
  async function goesOn(hash: Buffer, before: Principal): Promise<boolean> {
    try {
      const session = await tokens.current(hash, { isUse: false });
      if (!session) return false;
      // This also notes the roles and groups of a token that was refreshed.
      const { principal } = await signInByToken(session.tokens.credential);
      return isSameActor(principal, before);
    } catch (error) {
      // Neither a provider nor a database that is away for a moment ends a stream.
      return !(error instanceof AlfredError && error.code.startsWith('token_'));
    }
  }

  return {
    publicUrl,

    async begin(returnTo) {
      const config = await provider();
      const attempt = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        returnTo,
        endsAt: Date.now() + attemptMs,
      };
      const url = oidc.buildAuthorizationUrl(config, {
        ...parameters,
        redirect_uri: `${publicUrl}/auth/callback`,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
      });
      const sealed = attempts.seal(JSON.stringify(attempt)).toString('base64url');
      return { url: url.href, state: attempt.state, attempt: sealed };
    },

    async finish(query, sealed) {
      const attempt = readAttempt(attempts, sealed, query);
      const config = await provider();
      if (usedStates.has(attempt.state)) throw notBegun();
      usedStates.set(attempt.state, true);
      const answer = await redeem(config, new URL(`/auth/callback?${query}`, publicUrl), attempt, parameters).catch(
        (error: unknown) => Promise.reject(refused(error, log, lines)),
      );
      const fresh = tokensOf(answer, settings);
      const { principal } = await signInByToken(fresh.credential);
      const claims = answer.claims();
      const id = newSessionId();
      const hash = hashSessionId(id);
      await sessions.add(hash, {
        issuer,
        sub: claims?.sub ?? principal.subject,
        sid: typeof claims?.['sid'] === 'string' ? claims['sid'] : undefined,
        ...tokens.sealed(hash, fresh),
        tenant: principal.tenant,
        subject: principal.subject,
        endsAt: new Date(Date.now() + sessionMs),
      });
      log.info({ tenant: principal.tenant, subject: principal.subject }, 'a browser session began');
      return { id, returnTo: attempt.returnTo, maxAgeS: sessionMs / 1_000 };
    },

    async identify(id) {
      if (!isSessionId(id)) throw new AlfredError('session_ended');
      const hash = hashSessionId(id);
      const session = await tokens.current(hash, { isUse: true });
      if (!session) throw new AlfredError('session_ended');
      const signIn = await signInByToken(session.tokens.credential);
      return {
        principal: { ...signIn.principal, via: 'session' },
        expiresAt: session.endsAt,
        isStillGood: () => goesOn(hash, signIn.principal),
      };
    },

    end: createSessionEnd({ sessions, tokens, provider, settings, log }),

    async endByProvider(logoutToken) {
      const token = await readLogoutToken(logoutToken, { issuer, clientId, keys: issuerKeys });
      const ended = await sessions.endBy({ issuer, ...token }, token);
      if (ended === undefined) throw new AlfredError('malformed_request', 'The logout token was used before.');
      log.info({ ended: ended.length }, 'the identity provider ended browser sessions');
      return ended;
    },
  };
}

const isSameActor = (one: Principal, other: Principal) =>
  one.tenant === other.tenant &&
  one.subject === other.subject &&
  JSON.stringify(one.roles.toSorted()) === JSON.stringify(other.roles.toSorted());

/** Finds the provider, once. After a failure it is asked again. */
function createDiscovery({ issuer, clientId, clientSecret }: BrowserSettings): () => Promise<oidc.Configuration> {
  let discovered: Promise<oidc.Configuration> | undefined;
  return () =>
    (discovered ??= oidc
      .discovery(new URL(issuer), clientId, undefined, clientAuth(clientSecret), {
        timeout: timeoutS,
        // Of this machine only: the configuration takes any other address with https alone.
        ...(new URL(issuer).protocol === 'http:' && { execute: [oidc.allowInsecureRequests] }),
      })
      .catch((error: unknown) => {
        discovered = undefined;
        throw unavailable(error);
      }));
}

/** Exchanges the code for tokens. `state`, `nonce` and the PKCE verifier are those of the attempt. */
function redeem(
  config: oidc.Configuration,
  url: URL,
  { state, nonce, verifier }: z.infer<typeof Attempt>,
  { scope: _scope, ...audience }: Record<string, string>,
) {
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  return oidc.authorizationCodeGrant(config, url, checks, audience);
}

/** A public client has PKCE alone. */
const clientAuth = (secret: BrowserSettings['clientSecret']): oidc.ClientAuth =>
  secret ? (...request) => oidc.ClientSecretBasic(secret())(...request) : oidc.None();

/** The attempt that the answer in `query` is for. An answer for another one uses up none. */
function readAttempt(attempts: Seal, sealed: string | undefined, query: string) {
  const opened = sealed === undefined ? undefined : attempts.open(Buffer.from(sealed, 'base64url'));
  const attempt = Attempt.safeParse(parseJson(opened ?? '')).data;
  const isAsked = attempt !== undefined && attempt.state === new URLSearchParams(query).get('state');
  if (isAsked && attempt.endsAt > Date.now()) return attempt;
  throw notBegun();
}

const notBegun = () =>
  new AlfredError(
    'sign_in_failed',
    'This sign-in was not begun in this browser, or more than ten minutes ago, or it is over. Begin again.',
  );

const unavailable = (cause: unknown) =>
  new AlfredError('identity_unavailable', undefined, { cause: cause as Error, retryAfterMs: 5_000 });

/** What the provider answered stands in the log; its words may come from the address, which anybody can write. */
function refused(error: unknown, log: Deps['log'], lines: ReturnType<typeof createLineBudget>): AlfredError {
  if (error instanceof TypeError || (error as { code?: string }).code === 'OAUTH_TIMEOUT') return unavailable(error);
  const { message, error: code } = error as Error & { error?: unknown };
  const { isWithin, leftOut } = lines.take();
  if (leftOut > 0) log.warn({ leftOut }, 'more sign-ins in browsers failed than are logged');
  if (isWithin)
    log.info({ reason: message, code: typeof code === 'string' ? code : undefined }, 'a sign-in in a browser failed');
  return new AlfredError('sign_in_failed', undefined, { cause: error as Error });
}
