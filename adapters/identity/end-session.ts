import { setTimeout as delay } from 'node:timers/promises';
import * as oidc from 'openid-client';
import type { BrowserSessions, BrowserSignIn } from '../../contract/ports/index.ts';
import type { BrowserSettings } from '../../runtime/browser-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import { hashSessionId, isSessionId } from './seal.ts';
import type { createSessionTokens } from './session-tokens.ts';

/** How long a person waits for the provider to take a refresh token back. */
const revocationMs = 3_000;

type Deps = {
  sessions: BrowserSessions;
  tokens: Pick<ReturnType<typeof createSessionTokens>, 'open'>;
  provider: () => Promise<oidc.Configuration>;
  settings: Pick<BrowserSettings, 'publicUrl' | 'parameters'>;
  log: Pick<Logger, 'info'>;
};

/** Ends sessions: here, and as far as the provider lets us, there. */
export function createSessionEnd({ sessions, tokens, provider, settings, log }: Deps): BrowserSignIn['end'] {
  const home = `${settings.publicUrl}/`;
  // Where a refresh token does not outlive the session of the provider, that ends by its own address.
  const outlives = settings.parameters['scope']?.split(' ').includes('offline_access') ?? false;

  async function revoke(config: oidc.Configuration, refreshToken: string) {
    if (config.serverMetadata().revocation_endpoint === undefined) return;
    const revoked = oidc
      .tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' })
      .catch((error: unknown) => log.info({ err: error }, 'the provider did not take back a refresh token'));
    await Promise.race([revoked, delay(revocationMs, undefined, { ref: false })]);
  }

  /** What cannot be read now keeps no session from its end: only its refresh token stays as it is. */
  const readOrNothing = (hash: Buffer) =>
    sessions.find(hash).catch((error: unknown) => {
      log.info({ err: error }, 'a session could not be read before its end');
      return undefined;
    });

  return async (id, { replacedBy } = {}) => {
    if (!isSessionId(id)) return { url: home, ended: undefined };
    const hash = hashSessionId(id);
    const session = await (replacedBy === undefined ? sessions.find(hash) : readOrNothing(hash));
    // Read first: from its removal on, nothing keeps the caller from learning which session has ended.
    const next = replacedBy === undefined ? undefined : await readOrNothing(hashSessionId(replacedBy));
    const ended = await sessions.remove(hash);
    if (!session) return { url: home, ended };
    const kept = tokens.open(hash, session);
    const config = await provider().catch(() => undefined);
    if (!config) return { url: home, ended };
    // Some providers end all that a person has allowed a client: the next session of the person too.
    const isOfAnother = next !== undefined && (next.issuer !== session.issuer || next.sub !== session.sub);
    const mayRevoke = outlives && (replacedBy === undefined || isOfAnother);
    if (mayRevoke && kept?.refreshToken !== undefined) await revoke(config, kept.refreshToken);
    if (config.serverMetadata().end_session_endpoint === undefined) return { url: home, ended };
    const { href: url } = oidc.buildEndSessionUrl(config, {
      post_logout_redirect_uri: home,
      ...(kept?.idToken !== undefined && { id_token_hint: kept.idToken }),
    });
    return { url, ended };
  };
}
