import * as oidc from 'openid-client';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import type { BrowserSession, BrowserSessions, EndedSession } from '../../contract/ports/index.ts';
import type { BrowserSettings } from '../../runtime/browser-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Seal } from './seal.ts';

/** A token is replaced this long before its end, or after three quarters of a shorter life. */
const marginMs = 45_000;
/** How long a request waits for the process that refreshes, and how often it looks. */
const waitMs = 5_000;
const pollMs = 100;

const Tokens = z.object({
  /** The token that is verified with each request: the access token, or the ID token of Google. */
  credential: z.string(),
  expiresAt: z.number(),
  refreshToken: z.string().optional(),
  idToken: z.string().optional(),
});
export type SessionTokens = z.infer<typeof Tokens>;

/** The tokens of an answer. What a refresh leaves out stays as before. */
export function tokensOf(
  answer: oidc.TokenEndpointResponse,
  { sendsIdTokens }: Pick<BrowserSettings, 'sendsIdTokens'>,
  before?: SessionTokens,
): SessionTokens {
  const idToken = answer.id_token ?? before?.idToken;
  return {
    credential: sendsIdTokens ? (idToken ?? answer.access_token) : answer.access_token,
    expiresAt: Date.now() + (answer.expires_in ?? 300) * 1_000,
    refreshToken: answer.refresh_token ?? before?.refreshToken,
    idToken,
  };
}

type Deps = {
  sessions: BrowserSessions;
  provider: () => Promise<oidc.Configuration>;
  seal: Seal;
  settings: Pick<BrowserSettings, 'sendsIdTokens' | 'parameters'>;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Hears of a session that the provider let go no further. */
  noteEnd: (session: EndedSession) => void;
};

/** The tokens of sessions: encrypted in their rows, and replaced before they end, by one process at a time. */
export function createSessionTokens({ sessions, provider, seal, settings, log, noteEnd }: Deps) {
  const contextOf = (idHash: Buffer) => idHash.toString('hex');
  const open = (idHash: Buffer, { tokens }: Pick<BrowserSession, 'tokens'>): SessionTokens | undefined =>
    Tokens.safeParse(parseJson(seal.open(tokens, contextOf(idHash)) ?? '')).data;
  const sealed = (idHash: Buffer, tokens: SessionTokens) => ({
    tokens: seal.seal(JSON.stringify(tokens), contextOf(idHash)),
    refreshAt: new Date(tokens.expiresAt - Math.min(marginMs, (tokens.expiresAt - Date.now()) / 4)),
  });

  async function read(idHash: Buffer, use: { isUse: boolean }) {
    const row = await sessions.find(idHash, use);
    const tokens = row && open(idHash, row);
    return tokens && { tokens, endsAt: row.endsAt, isDue: row.refreshAt.getTime() <= Date.now() };
  }

  /** @returns whether the session goes on */
  async function refresh(idHash: Buffer, before: SessionTokens): Promise<boolean> {
    let fresh: SessionTokens | undefined;
    try {
      if (before.refreshToken === undefined) return before.expiresAt > Date.now();
      const { scope: _scope, ...audience } = settings.parameters;
      const answer = await oidc.refreshTokenGrant(await provider(), before.refreshToken, audience);
      fresh = tokensOf(answer, settings, before);
      return true;
    } catch (error) {
      if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') {
        log.info({}, 'the identity provider has ended a browser session');
        const ended = await sessions.remove(idHash);
        if (ended) noteEnd(ended);
        return false;
      }
      // The provider is away, or faulty: the token counts to its end, and the next request asks again.
      if (before.expiresAt > Date.now()) return true;
      throw new AlfredError('identity_unavailable', undefined, { cause: error as Error, retryAfterMs: 5_000 });
    } finally {
      await sessions.endRefresh(idHash, fresh && sealed(idHash, fresh));
    }
  }

  return {
    open,
    sealed,
    /**
     * The session with tokens that count.
     *
     * @param use whether a person uses it just now; an open stream alone is no use
     * @returns undefined when it has ended
     * @throws AlfredError `identity_unavailable`
     */
    async current(
      idHash: Buffer,
      use: { isUse: boolean },
    ): Promise<{ tokens: SessionTokens; endsAt: Date } | undefined> {
      const deadline = Date.now() + waitMs;
      while (true) {
        const session = await read(idHash, use);
        if (!session?.isDue) return session;
        if (await sessions.claimRefresh(idHash)) {
          // Another request may have done it between the look and the claim, and a refresh token counts once.
          const latest = await read(idHash, use);
          if (!latest?.isDue) await sessions.endRefresh(idHash);
          else if (!(await refresh(idHash, latest.tokens))) return undefined;
          return read(idHash, use);
        }
        // Another request refreshes: what is at hand counts for some seconds more.
        if (session.tokens.expiresAt > Date.now()) return session;
        if (Date.now() > deadline) throw new AlfredError('identity_unavailable', undefined, { retryAfterMs: 1_000 });
        await delay(pollMs);
      }
    },
  };
}
