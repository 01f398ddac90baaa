import { createHash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import type { TokenClaims } from '../../contract/ports/index.ts';
import type { IssuerSettings } from '../../runtime/identity-settings.ts';
import type { Logger } from '../../runtime/logger.ts';
import { readClaims } from './claims.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { algorithms, invalid, readJwt } from './read-jwt.ts';
import { refuseOtherTokens } from './token-type.ts';

/** How far the clocks of an issuer and of this machine may be apart. */
export const clockToleranceS = 30;

/** How long a process takes a token again without verifying its signature. */
const verifiedMs = 60_000;

type Deps = { issuers: IssuerSettings[]; log: Pick<Logger, 'warn' | 'info'>; fetch?: typeof fetch; now?: () => number };

/** Access tokens (JWT) of the configured issuers. */
export function createAccessTokens({ issuers, ...deps }: Deps) {
  const { now = Date.now } = deps;
  /** By hash: a program sends the same token with each of its requests. */
  const verified = new LRUCache<string, { claims: TokenClaims; until: number; keyChanges: number }>({ max: 5_000 });
  /** How often an issuer had other keys than before: what was verified by those of before counts no more. */
  let keyChanges = 0;
  const onChange = () => {
    keyChanges += 1;
  };
  /** Issuers a token of which named no groups. */
  const withoutGroups = new Set<string>();
  const names = issuers.flatMap(({ name }) => name ?? []);
  const trusted = new Map(
    issuers.map((settings) => [
      settings.issuer,
      { settings, keys: createIssuerKeys({ ...deps, issuer: settings.issuer, onChange }) },
    ]),
  );
  function warnOfGroups({ principal, namesGroups }: TokenClaims, { issuer, groupsClaim }: IssuerSettings) {
    if (namesGroups || groupsClaim === undefined || principal.kind !== 'person' || withoutGroups.has(issuer)) return;
    withoutGroups.add(issuer);
    deps.log.warn(
      { issuer, claim: groupsClaim },
      'a token says nothing of the groups of its person, who keeps those of before: let the provider put them into the tokens of each client',
    );
  }

  return {
    isConfigured: issuers.length > 0,

    /** @throws AlfredError `token_*`, `identity_unavailable` */
    async verify(token: string): Promise<TokenClaims> {
      const hash = createHash('sha256').update(token).digest('base64');
      const known = verified.get(hash);
      const isFresh = known?.keyChanges === keyChanges && now() < known.until;
      if (isFresh && Date.now() < known.claims.expiresAt.getTime()) return known.claims;
      const before = keyChanges;
      const jwt = readJwt(token);
      const issuer = trusted.get(jwt.claims['iss'] as string);
      if (!issuer) throw new AlfredError('token_issuer');
      const { settings, keys } = issuer;
      refuseOtherTokens(jwt, settings);
      try {
        const { payload } = await jwtVerify(token, (header) => keys.keyFor(header), {
          algorithms,
          issuer: settings.issuer,
          audience: settings.audience,
          clockTolerance: clockToleranceS,
          requiredClaims: ['exp', 'sub', 'aud'],
        });
        if (payload.iat !== undefined && payload.iat > Date.now() / 1_000 + clockToleranceS)
          throw new AlfredError('token_not_yet_valid');
        const claims = readClaims(payload, settings, names);
        warnOfGroups(claims, settings);
        verified.set(hash, { claims, until: now() + verifiedMs, keyChanges: before });
        return claims;
      } catch (error) {
        throw translate(error);
      }
    },

    /** What keeps tokens from being verified, for health checks. */
    async warning(): Promise<string | undefined> {
      const warnings = await Promise.all([...trusted.values()].map(({ keys }) => keys.warning()));
      return warnings.filter((warning) => warning !== undefined).join(' ') || undefined;
    },
  };
}

/** Errors of jose, as our codes. */
function translate(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new AlfredError('token_expired', undefined, { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return new AlfredError('token_audience', undefined, { cause: error });
    if (error.claim === 'nbf' && error.reason === 'check_failed')
      return new AlfredError('token_not_yet_valid', undefined, { cause: error });
  }
  return error instanceof errors.JOSEError || error instanceof TypeError ? invalid(error.message) : error;
}
