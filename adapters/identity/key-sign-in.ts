import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiKeys, KnownApiKey, SignIn } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { parseApiKey } from '../../runtime/api-key-text.ts';
import { createKeyReader } from './read-keys.ts';

/** The use of a key is noted so often. */
const useNotedMs = 60_000;

type Deps = {
  apiKeys: Pick<ApiKeys, 'find' | 'recordUse'>;
  log: Pick<Logger, 'warn'>;
  cacheMs?: number | undefined;
  /** Whether people sign in by token. Keys that the user of this machine made before then count no more. */
  hasIssuer: boolean;
};

/** Signs in by API key. @throws AlfredError `key_*`; `identity_unavailable` while too many unknown keys come */
export function createKeySignIn({ apiKeys, log, cacheMs, hasIssuer }: Deps) {
  const noted = new LRUCache<string, true>({ max: 1_000, ttl: useNotedMs });
  const reader = createKeyReader({ find: apiKeys.find, isInUse: (id) => noted.has(id), cacheMs });

  function recordUse(id: string) {
    if (noted.has(id)) return;
    noted.set(id, true);
    apiKeys.recordUse(id).catch((error: unknown) => log.warn({ err: error }, 'the use of a key could not be noted'));
  }

  /** @param isPaused the address sends wrong keys: what it sends waits for other reads of such addresses */
  return async function signIn(text: string, isPaused = false): Promise<SignIn> {
    const given = parseApiKey(text);
    if (!given) throw new AlfredError('key_invalid');
    const key = await check(given, isPaused);
    recordUse(given.id);
    const isStillGood = () =>
      check(given).then(
        () => true,
        // While the database is away, what was good stays so.
        (error: unknown) => !(error instanceof AlfredError && error.code.startsWith('key_')),
      );
    return { principal: key.principal, expiresAt: key.expiresAt, isStillGood };
  };

  async function check({ id, hash }: { id: string; hash: Buffer }, isPaused = false): Promise<KnownApiKey> {
    let key = await reader.read(id, isPaused);
    // It may have been rotated since it was read.
    if (key && !isOneOf(key.secretHashes, hash)) key = await reader.readAgain(id, isPaused);
    if (!key) throw new AlfredError('key_invalid');
    // What became of a key is for those to know who have its secret.
    const isReplaced = isOneOf(key.replacedHashes, hash);
    if (!isOneOf(key.secretHashes, hash) && !isReplaced) throw new AlfredError('key_invalid');
    if (key.isRevoked || isReplaced) throw new AlfredError('key_revoked');
    if (key.expiresAt !== undefined && key.expiresAt.getTime() <= Date.now()) throw new AlfredError('key_expired');
    if (hasIssuer && !key.hasSignedInCreator)
      throw new AlfredError(
        'key_revoked',
        'The API key was made before sign-in was set up, and its creator has no token. Sign in and make a new key.',
      );
    return key;
  }
}

const isOneOf = (hashes: Buffer[], hash: Buffer) => hashes.filter((one) => timingSafeEqual(one, hash)).length > 0;
