import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord } from '../../contract/json.ts';
import type { Logger } from '../../runtime/logger.ts';
import { invalid } from './read-jwt.ts';

/** Keys are fetched again after this time. */
const freshMs = 600_000;
/** While the issuer does not answer, keys count for so long after they were last confirmed. */
const knownForMs = 86_400_000;
/** At most one fetch in this time, however many tokens name a key that is not known. */
const cooldownMs = 30_000;
/** The same while no key is known at all. */
const retryMs = 2_000;
const timeoutMs = 5_000;

type Known = { find: ReturnType<typeof createLocalJWKSet>; confirmedAt: number };
type Deps = { issuer: string; log: Pick<Logger, 'warn' | 'info'>; now?: () => number; fetch?: typeof fetch };

/** The public keys of an issuer, found by OpenID Connect Discovery and kept in memory. */
export function createIssuerKeys({ issuer, log, now = Date.now, fetch: get = fetch }: Deps) {
  let known: Known | undefined;
  let triedAt = -Infinity;
  let failure: string | undefined;
  let underWay: Promise<void> | undefined;

  async function fetchKeys() {
    triedAt = now();
    try {
      const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const found = await getJson(address, get);
      if (found['issuer'] !== issuer) throw new Error(`${address} names another issuer than OIDC_ISSUER`);
      const keys = await getJson(keysAddress(found['jwks_uri'], issuer), get);
      if (!Array.isArray(keys['keys'])) throw new Error('what stands at its jwks_uri is not a list of keys');
      known = { find: createLocalJWKSet(keys as unknown as JSONWebKeySet), confirmedAt: now() };
      if (failure !== undefined) log.info({ issuer }, 'the identity provider answers again');
      failure = undefined;
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } };
      const reason = cause?.code ?? message;
      if (failure === undefined) log.warn({ issuer, reason }, 'the identity provider does not answer as it should');
      failure = reason;
    }
  }
  const refresh = () => (underWay ??= fetchKeys().finally(() => (underWay = undefined)));
  const current = () => (known && now() - known.confirmedAt < knownForMs ? known : undefined);
  const mayTry = (pauseMs: number) => underWay !== undefined || now() - triedAt >= pauseMs;

  async function find(header: JWTHeaderParameters) {
    if (!current() && mayTry(retryMs)) await refresh();
    const keys = current();
    if (!keys) throw unavailable(retryMs);
    // In the background: these keys still count.
    if (now() - keys.confirmedAt >= freshMs && mayTry(cooldownMs)) void refresh();
    return keys.find(header);
  }

  return {
    /**
     * The key that a token's header names.
     *
     * @throws AlfredError `token_invalid`; `identity_unavailable` when no known key fits and the issuer is away
     */
    async keyFor(header: JWTHeaderParameters) {
      try {
        return await find(header);
      } catch (error) {
        if (!isUnknownKey(error)) throw error;
      }
      if (mayTry(cooldownMs)) await refresh();
      try {
        return await find(header);
      } catch (error) {
        if (!isUnknownKey(error)) throw error;
        // The issuer may have made a new key, which cannot be fetched now.
        if (failure !== undefined) throw unavailable(cooldownMs);
        throw invalid('no key of its issuer has the `kid` that it names');
      }
    },

    /** What is wrong with the issuer, for health checks. It is asked when that was some time ago. */
    async warning(): Promise<string | undefined> {
      if ((failure !== undefined || !current()) && mayTry(retryMs)) await refresh();
      if (failure === undefined) return undefined;
      const effect = current() ? 'Tokens that known keys have signed still count' : 'No token counts until it does';
      return `${issuer} does not answer as it should (${failure}). ${effect}.`;
    },
  };
}

const isUnknownKey = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;

const unavailable = (retryAfterMs: number) => new AlfredError('identity_unavailable', undefined, { retryAfterMs });

/** The keys decide whose tokens count: they are fetched as safely as the issuer is named. */
function keysAddress(address: unknown, issuer: string): string {
  if (typeof address !== 'string' || !URL.canParse(address)) throw new Error('its configuration has no jwks_uri');
  if (new URL(address).protocol !== 'https:' && issuer.startsWith('https:'))
    throw new Error('its jwks_uri is not https');
  return address;
}

async function getJson(address: string, get: typeof fetch): Promise<Record<string, unknown>> {
  const response = await get(address, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  const value: unknown = await response.json();
  if (!isRecord(value)) throw new Error(`${address} answered no JSON object`);
  return value;
}
