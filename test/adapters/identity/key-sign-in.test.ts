import { beforeEach, expect, test } from '@jest/globals';
import { createKeySignIn } from '../../../adapters/identity/key-sign-in.ts';
import type { KnownApiKey } from '../../../contract/ports/index.ts';
import { newApiKeyId, newApiKeySecret } from '../../../runtime/api-key-text.ts';
import { person } from '../../support/principals.ts';

const rows = new Map<string, KnownApiKey>();
let reads: string[];
/** Lets the reads go on that wait; undefined: none waits. */
let open: Promise<void> | undefined;
beforeEach(() => {
  rows.clear();
  reads = [];
  open = undefined;
});

function signInOf({ hasIssuer = true } = {}) {
  const signIn = createKeySignIn({
    apiKeys: {
      find: async (id) => {
        reads.push(id);
        await open;
        return rows.get(id);
      },
      recordUse: async () => undefined,
    },
    log: { warn: () => undefined },
    hasIssuer,
  });
  return (key: string) =>
    signIn(key).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
}

function storeKey(id = newApiKeyId(), more: Partial<KnownApiKey> = {}) {
  const { key, hash } = newApiKeySecret(id);
  rows.set(id, {
    principal: person(`key:${id}`, { kind: 'service', via: 'api_key' }),
    secretHashes: [hash],
    replacedHashes: [],
    expiresAt: undefined,
    isRevoked: false,
    hasSignedInCreator: true,
    ...more,
  });
  return { id, key };
}
const randomKey = () => newApiKeySecret(newApiKeyId()).key;

test('a key counts right after its rotation, and wrong secrets cause a read a second at most', async () => {
  const outcomeOf = signInOf();
  const { id, key } = storeKey();
  expect([await outcomeOf(key), await outcomeOf(key)]).toEqual(['ok', 'ok']);
  expect(reads).toHaveLength(1);
  const rotated = storeKey(id);
  expect(await Promise.all([outcomeOf(rotated.key), outcomeOf(rotated.key)])).toEqual(['ok', 'ok']);
  for (let n = 0; n < 20; n++) expect(await outcomeOf(newApiKeySecret(id).key)).toBe('key_invalid');
  expect(reads).toHaveLength(2);
});

test('random keys are looked up a few at once, and put out no key that is in use', async () => {
  const outcomeOf = signInOf();
  const { key } = storeKey();
  expect(await outcomeOf(key)).toBe('ok');
  const unknown = randomKey();
  expect([await outcomeOf(unknown), await outcomeOf(unknown)]).toEqual(['key_invalid', 'key_invalid']);
  expect(reads).toHaveLength(2);
  for (let n = 0; n < 1_200; n++) await outcomeOf(randomKey());
  reads = [];
  expect(await outcomeOf(key)).toBe('ok');
  expect(reads).toEqual([]);

  const { promise, resolve } = Promise.withResolvers<void>();
  open = promise;
  const refused = randomKey();
  const flood = Promise.all([...Array.from({ length: 9 }, randomKey), refused].map(outcomeOf));
  // A key in use is read beside them, also when what is known of it is old or does not fit.
  const [, id = ''] = key.split('_');
  const rotated = outcomeOf(storeKey(id).key);
  resolve();
  const outcomes = await flood;
  expect([outcomes.filter((outcome) => outcome === 'identity_unavailable').length, await rotated]).toEqual([6, 'ok']);
  // A refusal is not remembered.
  expect(await outcomeOf(refused)).toBe('key_invalid');
});

test('a key of the user of this machine counts no more when an issuer is set up', async () => {
  const { key } = storeKey(newApiKeyId(), { hasSignedInCreator: false });
  expect(await signInOf({ hasIssuer: false })(key)).toBe('ok');
  expect(await signInOf()(key)).toBe('key_revoked');
});
