import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAccessTokens } from '../../../adapters/identity/access-tokens.ts';
import { issuersOf } from '../../../runtime/identity-settings.ts';
import { audience, startOidcServer, type OidcServer } from '../../support/identity/oidc-server.ts';

let oidc: OidcServer;
let now = Date.now();
let warnings: string[] = [];
const log = { info: () => undefined, warn: (_fields: unknown, text?: string) => void warnings.push(text ?? '') };
const newTokens = (get?: typeof fetch) =>
  createAccessTokens({
    issuers: issuersOf({
      OIDC_ISSUER: [{ issuer: oidc.issuer, tenant: 'acme' }],
      OIDC_AUDIENCE: [audience],
      OIDC_PROVIDER: 'generic',
    }),
    log,
    now: () => now,
    ...(get && { fetch: get }),
  });
type Tokens = ReturnType<typeof newTokens>;
const outcomeOf = (tokens: Tokens, token: string) =>
  tokens.verify(token).then(
    ({ principal }) => principal.subject,
    (error: { code: string }) => error.code,
  );

beforeAll(async () => {
  oidc = await startOidcServer();
});
afterAll(() => oidc.close());

test('while the issuer is away, known keys count for a day, and a token of another key gets 503 and not 401', async () => {
  const tokens = newTokens();
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
  expect(await tokens.warning()).toBeUndefined();
  oidc.shut();
  now += 3_600_000;
  // The first look after the keys are no longer fresh is in the background.
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
  expect(await outcomeOf(tokens, await oidc.sign({}, { kid: 'new' }))).toBe('identity_unavailable');
  now += 60_000;
  expect(await tokens.warning()).toMatch(/does not answer as it should .*still count/);
  now += 86_400_000;
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('identity_unavailable');
  expect(await tokens.warning()).toMatch(/No token counts/);
  oidc.open();
  now += 60_000;
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
  expect(await tokens.warning()).toBeUndefined();
});

test('a process that starts while the issuer is away recovers by itself', async () => {
  oidc.shut();
  const tokens = newTokens();
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('identity_unavailable');
  oidc.open();
  now += 2_000;
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
});

test('a key that the issuer replaced counts no more; the new one does, without a restart', async () => {
  const tokens = newTokens();
  const old = await oidc.sign();
  expect(await outcomeOf(tokens, old)).toBe('ada');
  await oidc.rotateKey('second');
  const fresh = await oidc.sign();
  const before = oidc.jwksRequests();
  // The issuer was asked just before, and is not asked for each token: the caller is to repeat.
  await expect(tokens.verify(fresh)).rejects.toMatchObject({ code: 'identity_unavailable', retryAfterMs: 30_000 });
  expect(oidc.jwksRequests()).toBe(before);
  now += 30_000;
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(tokens, fresh)));
  expect([new Set(outcomes), oidc.jwksRequests() - before]).toEqual([new Set(['ada']), 1]);
  // What was verified by the key of before counts no more, although that was a moment ago.
  expect(await outcomeOf(tokens, old)).toBe('identity_unavailable');
  now += 30_000;
  expect(await outcomeOf(tokens, old)).toBe('token_invalid');
});

test('after a quiet night a key that was taken back in it counts no more, also for the first token', async () => {
  const tokens = newTokens();
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
  const forged = await oidc.sign({ sub: 'mallory' });
  await oidc.rotateKey('third');
  now += 20 * 3_600_000;
  expect(await outcomeOf(tokens, forged)).toBe('token_invalid');
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
});

test('an empty list of keys is a failure of the issuer, and the keys of before count', async () => {
  let isEmpty = false;
  const signals = new Set<unknown>();
  const get: typeof fetch = async (input, init) => {
    signals.add(init?.signal);
    const answer = await fetch(input, init);
    return isEmpty && new URL(answer.url).pathname === '/jwks' ? Response.json({ keys: [] }) : answer;
  };
  const tokens = newTokens(get);
  expect(await outcomeOf(tokens, await oidc.sign())).toBe('ada');
  // Both requests of a fetch have one time limit.
  expect(signals.size).toBe(1);
  isEmpty = true;
  now += 3_600_000;
  expect(await outcomeOf(tokens, await oidc.sign({ sub: 'bob' }))).toBe('bob');
  expect(await tokens.warning()).toMatch(/list of keys .*is empty.*still count/);
});

test('an issuer that fails slowly is asked again some time after the failure, not after the question', async () => {
  let asked = 0;
  const tokens = newTokens(async () => {
    asked += 1;
    now += 3_000;
    throw new Error('no answer');
  });
  const token = await oidc.sign();
  expect(await outcomeOf(tokens, token)).toBe('identity_unavailable');
  expect(await outcomeOf(tokens, token)).toBe('identity_unavailable');
  expect(asked).toBe(1);
  now += 2_000;
  expect(await outcomeOf(tokens, token)).toBe('identity_unavailable');
  expect(asked).toBe(2);
});

test('a token that says nothing of groups is warned of once', async () => {
  const tokens = newTokens();
  warnings = [];
  await tokens.verify(await oidc.sign({ groups: [] }));
  expect(warnings).toEqual([]);
  await tokens.verify(await oidc.sign());
  await tokens.verify(await oidc.sign({ sub: 'bob' }));
  expect(warnings).toEqual([expect.stringMatching(/says nothing of the groups/)]);
});
