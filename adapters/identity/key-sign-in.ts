import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiKeys, KnownApiKey, SignIn } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { parseApiKey } from '../../runtime/api-key-text.ts';

/** How long a process believes what it has read of a key: so long a key may count after it was revoked. */
export const keyCacheMs = 5_000;
/** The use of a key is noted so often. */
const useNotedMs = 60_000;

type Deps = { apiKeys: Pick<ApiKeys, 'find' | 'recordUse'>; log: Pick<Logger, 'warn'>; cacheMs?: number };

/** Signs in by API key. @throws AlfredError `key_*` */
export function createKeySignIn({ apiKeys, log, cacheMs = keyCacheMs }: Deps) {
  const found = new LRUCache<string, Promise<KnownApiKey | undefined>>({ max: 1_000, ttl: cacheMs });
  const noted = new LRUCache<string, true>({ max: 1_000, ttl: useNotedMs });

  function find(id: string): Promise<KnownApiKey | undefined> {
    const cached = found.get(id);
    if (cached) return cached;
    const reading = apiKeys.find(id);
    found.set(id, reading);
    // A failure is not remembered.
    reading.catch(() => found.delete(id));
    return reading;
  }

  function recordUse(id: string) {
    if (noted.has(id)) return;
    noted.set(id, true);
    apiKeys.recordUse(id).catch((error: unknown) => log.warn({ err: error }, 'the use of a key could not be noted'));
  }

  return async function signIn(text: string): Promise<SignIn> {
    const given = parseApiKey(text);
    if (!given) throw new AlfredError('key_invalid');
    const key = await check(given);
    recordUse(given.id);
    const isStillGood = () =>
      check(given).then(
        () => true,
        // While the database is away, what was good stays so.
        (error: unknown) => !(error instanceof AlfredError),
      );
    return { principal: key.principal, expiresAt: key.expiresAt, isStillGood };
  };

  async function check({ id, hash }: { id: string; hash: Buffer }): Promise<KnownApiKey> {
    const key = await find(id);
    if (!key) throw new AlfredError('key_invalid');
    const isOneOf = (hashes: Buffer[]) => hashes.filter((one) => timingSafeEqual(one, hash)).length > 0;
    // What became of a key is for those to know who have its secret.
    const isReplaced = isOneOf(key.replacedHashes);
    if (!isOneOf(key.secretHashes) && !isReplaced) throw new AlfredError('key_invalid');
    if (key.isRevoked || isReplaced) throw new AlfredError('key_revoked');
    if (key.expiresAt !== undefined && key.expiresAt.getTime() <= Date.now()) throw new AlfredError('key_expired');
    return key;
  }
}
