import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAccessTokens } from '../../../adapters/identity/access-tokens.ts';
import { issuersOf } from '../../../runtime/identity-settings.ts';
import { audience, startOidcServer, type OidcServer } from '../../support/identity/oidc-server.ts';

let oidc: OidcServer;
let now = Date.now();
const log = { info: () => undefined, warn: () => undefined };
const newTokens = () =>
  createAccessTokens({
    issuers: issuersOf({
      OIDC_ISSUER: [{ issuer: oidc.issuer, tenant: 'acme' }],
      OIDC_AUDIENCE: [audience],
      OIDC_PROVIDER: 'generic',
    }),
    log,
    now: () => now,
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
  expect(await outcomeOf(tokens, fresh)).toBe('token_invalid');
  expect(oidc.jwksRequests()).toBe(before);
  now += 30_000;
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(tokens, fresh)));
  expect([new Set(outcomes), oidc.jwksRequests() - before]).toEqual([new Set(['ada']), 1]);
  // A process takes a token that it has verified for a minute.
  expect(await outcomeOf(tokens, old)).toBe('ada');
  now += 30_000;
  expect(await outcomeOf(tokens, old)).toBe('token_invalid');
});
