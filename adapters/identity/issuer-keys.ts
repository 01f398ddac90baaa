import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import { AlfredError } from '../../contract/errors.ts';
import { isRecord } from '../../contract/json.ts';
import type { Logger } from '../../runtime/logger.ts';
import { invalid } from './read-jwt.ts';

/** Keys are fetched again after this time, and after twice as long no token counts before that. */
const freshMs = 600_000;
/** While the issuer does not answer, keys count for so long after they were last confirmed. */
const knownForMs = 86_400_000;
/** At most one fetch in this time, however many tokens name a key that is not known. */
const cooldownMs = 30_000;
/** The same while no key is known at all. */
const retryMs = 2_000;
/** For both requests of a fetch together. Tokens wait so long for an issuer that takes requests and answers none. */
const timeoutMs = 3_000;

type Known = { find: ReturnType<typeof createLocalJWKSet>; text: string; confirmedAt: number };
type Deps = {
  issuer: string;
  log: Pick<Logger, 'warn' | 'info'>;
  now?: () => number;
  fetch?: typeof fetch;
  /** The issuer has other keys than before. */
  onChange?: () => void;
};

/** The public keys of an issuer, found by OpenID Connect Discovery and kept in memory. */
export function createIssuerKeys({ issuer, log, now = Date.now, fetch: get = fetch, onChange }: Deps) {
  let known: Known | undefined;
  let fetches = 0;
  let triedAt = -Infinity;
  let failure: string | undefined;
  let underWay: Promise<void> | undefined;

  async function fetchKeys() {
    try {
      const keys = await readKeys(issuer, get);
      const text = JSON.stringify(keys);
      const find = createLocalJWKSet(keys);
      if (text !== known?.text) onChange?.();
      known = { find, text, confirmedAt: now() };
      fetches += 1;
      if (failure !== undefined) log.info({ issuer }, 'the identity provider answers again');
      failure = undefined;
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } };
      const reason = cause?.code ?? message;
      if (failure === undefined) log.warn({ issuer, reason }, 'the identity provider does not answer as it should');
      failure = reason;
    } finally {
      // The end counts: a slow failure is not followed by the next one at once.
      triedAt = now();
    }
  }
  const refresh = () => (underWay ??= fetchKeys().finally(() => (underWay = undefined)));
  const ageMs = () => (known ? now() - known.confirmedAt : Infinity);
  const current = () => (ageMs() < knownForMs ? known : undefined);
  const mayTry = (pauseMs: number) => underWay !== undefined || now() - triedAt >= pauseMs;

  /** @returns undefined when no key of the issuer fits */
  async function find(header: JWTHeaderParameters) {
    // After a quiet time the keys may have been taken back long ago.
    if (ageMs() >= 2 * freshMs && mayTry(current() ? cooldownMs : retryMs)) await refresh();
    const keys = current();
    if (!keys) throw unavailable(retryMs);
    // In the background: these keys still count.
    if (ageMs() >= freshMs && mayTry(cooldownMs)) void refresh();
    try {
      return await keys.find(header);
    } catch (error) {
      if (isUnknownKey(error)) return undefined;
      throw error;
    }
  }

  return {
    /**
     * The key that a token's header names.
     *
     * @throws AlfredError `token_invalid`; `identity_unavailable` when no known key fits and the issuer is away, or was
     *   asked just before
     */
    async keyFor(header: JWTHeaderParameters) {
      const before = fetches;
      const found = await find(header);
      if (found) return found;
      if (fetches === before && mayTry(cooldownMs)) {
        await refresh();
        const fresh = await find(header);
        if (fresh) return fresh;
      }
      // The issuer may have made a new key since it was asked. A refusal would be final for the caller.
      const pauseMs = Math.max(retryMs, triedAt + cooldownMs - now());
      if (failure !== undefined) throw unavailable(pauseMs);
      if (fetches === before)
        throw unavailable(pauseMs, 'No known key of the identity provider fits this token. Repeat the request later.');
      throw invalid('no key of its issuer has the `kid` that it names');
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

const unavailable = (retryAfterMs: number, message?: string) =>
  new AlfredError('identity_unavailable', message, { retryAfterMs });

async function readKeys(issuer: string, get: typeof fetch): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(timeoutMs);
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = await getJson(address, get, signal);
  if (found['issuer'] !== issuer) throw new Error(`${address} names another issuer than OIDC_ISSUER`);
  const { keys } = await getJson(keysAddress(found['jwks_uri'], issuer), get, signal);
  if (!Array.isArray(keys)) throw new Error('what stands at its jwks_uri is not a list of keys');
  if (keys.length === 0) throw new Error('the list of keys at its jwks_uri is empty');
  return { keys: keys as JSONWebKeySet['keys'] };
}

/** The keys decide whose tokens count: they are fetched as safely as the issuer is named. */
function keysAddress(address: unknown, issuer: string): string {
  if (typeof address !== 'string' || !URL.canParse(address)) throw new Error('its configuration has no jwks_uri');
  if (new URL(address).protocol !== 'https:' && issuer.startsWith('https:'))
    throw new Error('its jwks_uri is not https');
  return address;
}

async function getJson(address: string, get: typeof fetch, signal: AbortSignal): Promise<Record<string, unknown>> {
  const response = await get(address, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal,
  });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  const value: unknown = await response.json();
  if (!isRecord(value)) throw new Error(`${address} answered no JSON object`);
  return value;
}
