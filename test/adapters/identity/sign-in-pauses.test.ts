import { expect, test } from '@jest/globals';
import { createSignIn } from '../../../adapters/identity/sign-in.ts';
import { createSignInPauses, type Attempt } from '../../../adapters/identity/sign-in-pauses.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { KnownApiKey } from '../../../contract/ports/index.ts';
import { newApiKeyId, newApiKeySecret } from '../../../runtime/api-key-text.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { person } from '../../support/principals.ts';

const silent = { info: () => undefined, warn: () => undefined };

test('a pause begins after the free failures, grows, and is for wrong credentials of that address alone', () => {
  let now = 0;
  const metrics = createMetrics();
  const pauses = createSignInPauses({ log: silent, metrics, now: () => now });
  const attempt: Attempt = { address: '203.0.113.9', isKey: false, keyId: undefined };
  const fail = (of: Attempt = attempt) => (pauses.note(of, new AlfredError('token_invalid')) as AlfredError).code;
  for (let n = 0; n <= 50; n++) expect(fail()).toBe('token_invalid');
  expect(fail()).toBe('sign_ins_paused');
  expect(pauses.pauseMsOf(attempt)).toBe(1_000);
  now = 1_000;
  expect([fail(), fail()]).toEqual(['token_invalid', 'sign_ins_paused']);
  expect(pauses.pauseMsOf(attempt)).toBe(2_000);
  // What was right once gets its own code, and does not count.
  const expired = new AlfredError('token_expired');
  expect(pauses.note(attempt, expired)).toBe(expired);
  expect(fail({ ...attempt, address: '203.0.113.10' })).toBe('token_invalid');
  expect(fail({ ...attempt, isKey: true, keyId: '0011223344556677' })).toBe('token_invalid');
});

test('1,000 wrong secrets of one key, and 1,000 of random keys, keep its owner out from no address', async () => {
  const rows = new Map<string, KnownApiKey>();
  const id = newApiKeyId();
  const { key, hash } = newApiKeySecret(id);
  rows.set(id, {
    principal: person(`key:${id}`, { kind: 'service', via: 'api_key' }),
    secretHashes: [hash],
    replacedHashes: [],
    expiresAt: undefined,
    isRevoked: false,
    hasSignedInCreator: true,
  });
  let reads = 0;
  const logged: unknown[] = [];
  const { identify } = createSignIn({
    issuers: [],
    subjects: { record: async () => undefined },
    apiKeys: {
      find: async (wanted) => {
        reads++;
        return rows.get(wanted);
      },
      recordUse: async () => undefined,
    },
    log: { info: (line: unknown) => void logged.push(line), warn: () => undefined },
  });
  const outcomeOf = (text: string, address: string) =>
    Promise.resolve(identify({ authorization: `Bearer ${text}` }, ['authorization', ''], address)).then(
      () => 'ok',
      ({ code }: AlfredError) => code,
    );
  const addresses = Array.from({ length: 50 }, (_, n) => `203.0.113.${n}`);
  const outcomes = new Set<string>();
  for (let n = 0; n < 1_000; n++) {
    const address = addresses[n % 50] as string;
    outcomes.add(await outcomeOf(newApiKeySecret(id).key, address));
    outcomes.add(await outcomeOf(newApiKeySecret(newApiKeyId()).key, '198.51.100.1'));
  }
  expect([...outcomes].sort()).toEqual(['key_invalid', 'sign_ins_paused']);
  // From the addresses of the attacks too, and from one that sends its first request.
  for (const address of [...addresses, '198.51.100.1', '192.0.2.1']) expect(await outcomeOf(key, address)).toBe('ok');
  // A first key of another service behind the address that sends random keys.
  const other = newApiKeyId();
  const second = newApiKeySecret(other);
  rows.set(other, { ...(rows.get(id) as KnownApiKey), secretHashes: [second.hash] });
  expect(await outcomeOf(second.key, '198.51.100.1')).toBe('ok');
  expect(reads).toBeLessThan(1_100);
  expect(logged).toHaveLength(60);
});
