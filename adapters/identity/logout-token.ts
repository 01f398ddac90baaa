import { errors, jwtVerify } from 'jose';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord } from '../../contract/json.ts';
import type { createIssuerKeys } from './issuer-keys.ts';
import { algorithms, readJwt } from './read-jwt.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';
const clockToleranceS = 30;
/** A provider sends its token at once. */
const oldest = '5 minutes';

export type LogoutToken = {
  jti: string;
  issuedAt: Date;
  expiresAt: Date;
  sub: string | undefined;
  sid: string | undefined;
};

/**
 * Verifies a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6).
 *
 * @param clientId of the client whose sessions are to end
 * @throws AlfredError `malformed_request` with what is wrong with it as cause; `identity_unavailable`
 */
export async function readLogoutToken(
  token: string,
  { issuer, clientId, keys }: { issuer: string; clientId: string; keys: ReturnType<typeof createIssuerKeys> },
): Promise<LogoutToken> {
  try {
    const { header } = readJwt(token);
    const { typ: given = 'JWT' } = header;
    const typ = typeof given === 'string' ? given.toLowerCase().replace(/^application\//, '') : '';
    if (typ !== 'logout+jwt' && typ !== 'jwt') throw new Error('its `typ` is that of another token');
    const { payload } = await jwtVerify(token, (protectedHeader) => keys.keyFor(protectedHeader), {
      algorithms,
      issuer,
      audience: clientId,
      clockTolerance: clockToleranceS,
      maxTokenAge: oldest,
      requiredClaims: ['iat', 'exp', 'jti'],
    });
    const { events, nonce, sub, sid, jti, iat = 0, exp = 0 } = payload;
    if (!isRecord(events) || !isRecord(events[event])) throw new Error('it has no event of a logout');
    if (nonce !== undefined) throw new Error('it has a `nonce`, as ID tokens have');
    if (typeof jti !== 'string' || jti === '' || jti.length > 255) throw new Error('it has no `jti`');
    if (sid !== undefined && typeof sid !== 'string') throw new Error('its `sid` is not a text');
    if (sub === undefined && sid === undefined) throw new Error('it has neither `sub` nor `sid`');
    return { jti, issuedAt: new Date(iat * 1_000), expiresAt: new Date(exp * 1_000), sub, sid };
  } catch (error) {
    if (error instanceof AlfredError && error.code === 'identity_unavailable') throw error;
    const reason = error instanceof errors.JOSEError || error instanceof Error ? error.message : String(error);
    throw new AlfredError('malformed_request', 'The logout token does not count.', { cause: new Error(reason) });
  }
}
