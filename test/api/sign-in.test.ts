import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { localPrincipal, type Principal } from '../../contract/principal.ts';
import { newApiKeyId, newApiKeySecret } from '../../runtime/api-key-text.ts';
import { person } from '../support/principals.ts';
import { audience, startOidcServer, type OidcServer } from '../support/identity/oidc-server.ts';
import { principalsOf } from '../../knowledge/store/readable.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { sendRaw } from './send-raw.ts';

let oidc: OidcServer;
let partner: OidcServer;
let api: ApiHarness;

beforeAll(async () => {
  oidc = await startOidcServer({
    ada: { roles: ['clerk', '*'], groups: ['sales', 'staff'] },
    nightly: { roles: ['reporter'] },
  });
  partner = await startOidcServer();
  const common = { tenantClaim: 'tenant', tenants: ['acme'] };
  api = await createApiHarness({
    OIDC_ISSUER: JSON.stringify([
      { issuer: oidc.issuer, ...common },
      { issuer: partner.issuer, name: 'partner', ...common },
    ]),
    OIDC_AUDIENCE: audience,
  });
});

afterAll(async () => {
  await api.close();
  await oidc.close();
  await partner.close();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const me = async (headers: Record<string, string> = {}) => {
  const response = await fetch(`${api.url}/v1/me`, { headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as { code?: string } };
};
const codeOf = async (token: string) => {
  const { status, body } = await me(bearer(token));
  return [status, body.code];
};
const now = () => Math.floor(Date.now() / 1_000);

describe('an access token', () => {
  test('of a person, by code with PKCE, says tenant, roles, groups and kind', async () => {
    const { access } = await oidc.signIn('ada', 'tasks:read');
    const { status, body } = await me(bearer(access));
    expect([status, body]).toEqual([
      200,
      {
        tenant: 'acme',
        subject: 'ada',
        kind: 'person',
        roles: ['clerk'],
        groups: ['sales', 'staff'],
        scopes: ['tasks:read'],
        via: 'oidc',
        expiresAt: expect.any(String),
      },
    ]);
    // The scope limits what the token is for.
    expect((await api.http.get('/v1/tasks', bearer(access))).status).toBe(200);
    const refused = await fetch(`${api.url}/v1/schedules`, { headers: bearer(access) });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer realm="alfred", error="insufficient_scope"',
    ]);
  });

  test('of a service, by client credentials, makes it a service', async () => {
    const { body } = await me(bearer(await oidc.clientCredentials()));
    expect(body).toMatchObject({ subject: 'nightly', kind: 'service', roles: ['reporter'], scopes: [] });
  });

  test('of another issuer with the same subject is another person', async () => {
    const groups = ['board'];
    const theirs = await me(bearer(await partner.sign({ groups })));
    expect([theirs.body, (await me(bearer(await oidc.sign({ groups })))).body]).toMatchObject([
      { subject: 'partner:ada', groups: ['partner:board'] },
      { subject: 'ada', groups: ['board'] },
    ]);
    // And the first issuer cannot make one of its people look like that.
    expect(await codeOf(await oidc.sign({ sub: 'partner:ada' }))).toEqual([401, 'token_invalid']);
  });

  test('is refused with a code and a challenge that say what is wrong with it', async () => {
    const { id } = await oidc.signIn('ada');
    const stranger = await generateKeyPair('RS256');
    const jwk = await exportJWK(stranger.publicKey);
    const ownKey = (header: object) =>
      new SignJWT({ iss: oidc.issuer, aud: audience, sub: 'ada', exp: now() + 60, tenant: 'acme' })
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: oidc.key.kid, ...header })
        .sign(stranger.privateKey);
    const good = await oidc.sign();
    const [, payload = '', signature = ''] = good.split('.');
    const part = (text: string) => Buffer.from(text).toString('base64url');
    const publicKey = new TextEncoder().encode(await exportSPKI(oidc.key.publicKey));
    const refused: [string, string, string][] = [
      ['no algorithm', `${part('{"alg":"none","typ":"at+jwt"}')}.${payload}.`, 'token_invalid'],
      ['NONE in capitals', `${part('{"alg":"None","typ":"at+jwt"}')}.${payload}.${signature}`, 'token_invalid'],
      [
        'HS256 with the public key as its secret',
        await new SignJWT({ iss: oidc.issuer, aud: audience, sub: 'ada', exp: now() + 60, tenant: 'acme' })
          .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: oidc.key.kid })
          .sign(publicKey),
        'token_invalid',
      ],
      ['a key of another person', await ownKey({}), 'token_invalid'],
      ['its own key in the header', await ownKey({ jwk }), 'token_invalid'],
      ['an address of its key', await ownKey({ jku: 'https://evil.example/keys' }), 'token_invalid'],
      ['a certificate of its key', await ownKey({ x5c: ['MIIB'] }), 'token_invalid'],
      ['`crit`', await oidc.sign({}, { crit: ['b64'], b64: true }), 'token_invalid'],
      ['another issuer', await oidc.sign({ iss: 'https://evil.example' }), 'token_issuer'],
      ['another audience', await oidc.sign({ aud: 'https://other.example' }), 'token_audience'],
      ['no audience', await oidc.sign({ aud: undefined }), 'token_audience'],
      ['an end that is over', await oidc.sign({ exp: now() - 60 }), 'token_expired'],
      ['no end', await oidc.sign({ exp: undefined }), 'token_invalid'],
      ['no time of issue', await oidc.sign({ iat: undefined }), 'token_invalid'],
      ['a beginning to come', await oidc.sign({ nbf: now() + 60 }), 'token_not_yet_valid'],
      ['an issue to come', await oidc.sign({ iat: now() + 60 }), 'token_not_yet_valid'],
      ['no subject', await oidc.sign({ sub: undefined }), 'token_invalid'],
      ['a tenant that its issuer may not name', await oidc.sign({ tenant: 'other' }), 'token_invalid'],
      ['no tenant', await oidc.sign({ tenant: undefined }), 'token_invalid'],
      ['a subject of an API key', await oidc.sign({ sub: 'key:0011223344556677' }), 'token_invalid'],
      ['roles that are no list', await oidc.sign({ roles: { a: 1 } }), 'token_invalid'],
      ['the type of an ID token', await oidc.sign({}, { typ: 'id+jwt' }), 'token_type'],
      ['no type', await oidc.sign({}, { typ: undefined }), 'token_type'],
      ['the purpose of an ID token', await oidc.sign({ typ: 'ID' }), 'token_type'],
      ['the nonce of an ID token', await oidc.sign({ nonce: 'n' }, { typ: 'JWT' }), 'token_type'],
      ['an ID token of the issuer', id, 'token_type'],
      ['a changed payload', `${good.split('.')[0]}.${part('{"sub":"bob"}')}.${signature}`, 'token_issuer'],
      [
        'a claim twice',
        `${good.split('.')[0]}.${part(`{"iss":"${oidc.issuer}","sub":"ada","sub":"bob"}`)}.${signature}`,
        'token_invalid',
      ],
      ['two parts', 'a.b', 'token_invalid'],
      ['five parts, encrypted', 'a.b.c.d.e', 'token_invalid'],
    ];
    for (const [what, token, code] of refused) {
      const { status, headers, body } = await me(bearer(token));
      expect([what, status, body.code]).toEqual([what, 401, code]);
      expect(headers.get('www-authenticate')).toMatch(
        /^Bearer realm="alfred", error="invalid_token", error_description="[^"]+"$/,
      );
      // What would be right stays untold.
      expect(JSON.stringify(body)).not.toMatch(/evil|acme|alfred\.example|127\.0\.0\.1/);
    }
    // Clocks may be half a minute apart.
    expect(await codeOf(await oidc.sign({ exp: now() - 20 }))).toEqual([200, undefined]);
    expect(await codeOf(await oidc.sign({ nbf: now() + 20, iat: now() + 20 }))).toEqual([200, undefined]);
  });

  test('is taken from one Authorization header, with Bearer in any case', async () => {
    const token = await oidc.sign();
    for (const authorization of [`bearer ${token}`, `BEARER   ${token}`])
      expect((await me({ authorization })).status).toBe(200);
    for (const authorization of [`Basic ${token}`, token, 'Bearer', `Bearer ${token} x`, `Bearer "${token}"`])
      expect((await me({ authorization })).body.code).toBe('token_invalid');
    const missing = await me();
    expect([missing.status, missing.body.code, missing.headers.get('www-authenticate')]).toEqual([
      401,
      'token_missing',
      'Bearer realm="alfred"',
    ]);
    const raw = async (lines: string) => {
      const request = `GET /v1/me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${lines}\r\n\r\n`;
      return (await sendRaw(api.url, request)).status;
    };
    const header = `authorization: Bearer ${token}`;
    expect(await raw(header)).toBe(200);
    expect(await raw(`${header}\r\n${header}`)).toBe(401);
    expect(await raw(`authorization: Bearer ${'a'.repeat(100_000)}`)).toBe(431);
  });
});

describe('a person', () => {
  test('who leaves a group loses its documents with the next token; an older token brings nothing back', async () => {
    const groupsOf = async () =>
      (await principalsOf(api.postgres.db, { tenant: 'acme', subject: 'cy' })).filter((name) =>
        name.startsWith('group:'),
      );
    const token = (groups: string[], iat: number) => oidc.sign({ sub: 'cy', groups, iat });
    const older = await token(['board', 'staff'], now() - 10);
    expect(await codeOf(older)).toEqual([200, undefined]);
    expect((await groupsOf()).sort()).toEqual(['group:board', 'group:staff']);
    expect(await codeOf(await token(['staff'], now()))).toEqual([200, undefined]);
    expect(await groupsOf()).toEqual(['group:staff']);
    expect(await codeOf(older)).toEqual([200, undefined]);
    expect(await groupsOf()).toEqual(['group:staff']);
    // A token of a client that knows no groups.
    expect(await codeOf(await oidc.sign({ sub: 'cy', iat: now() + 1 }))).toEqual([200, undefined]);
    expect(await groupsOf()).toEqual(['group:staff']);
    expect(await codeOf(await token([], now() + 2))).toEqual([200, undefined]);
    expect(await groupsOf()).toEqual([]);
  });

  test('makes keys that count; one that the user of this machine made before counts no more', async () => {
    await me(bearer(await oidc.sign()));
    const keyOf = async (creator: Principal) => {
      const id = newApiKeyId();
      const { key, hash } = newApiKeySecret(id);
      await api.apiKeys.create(creator, { name: 'k', roles: [], scopes: [] }, { id, hash });
      return key;
    };
    expect(await codeOf(await keyOf(person('ada', { tenant: 'acme' })))).toEqual([200, undefined]);
    expect(await codeOf(await keyOf(localPrincipal))).toEqual([401, 'key_revoked']);
  });

  test('whose token ends while they follow a task is told why the stream ends', async () => {
    const { id } = await api.tasks.create(
      { tenant: 'acme', subject: 'ada' },
      { agent: 'knowledge', input: { text: 'A' } },
      {},
    );
    // Half a minute of tolerance, less 28 seconds.
    const headers = { ...bearer(await oidc.sign({ exp: now() - 28 })), accept: 'text/event-stream' };
    const response = await fetch(`${api.url}/v1/tasks/${id}/events`, { headers });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/event: task\.queued[^]*: token_expired\n\n$/);
    expect((await fetch(`${api.url}/v1/tasks/${id}/events`, { headers })).status).toBe(401);
  });
});

describe('the keys of an issuer', () => {
  test('are fetched once for a flood of tokens with unknown keys', async () => {
    const before = oidc.jwksRequests();
    const flood = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => codeOf(await oidc.sign({}, { kid: `flood-${i}` }))),
    );
    // Shortly after a fetch the issuer may have made a new key.
    for (const outcome of flood) expect(String(outcome)).toMatch(/^(401,token_invalid|503,identity_unavailable)$/);
    expect(oidc.jwksRequests() - before).toBeLessThanOrEqual(1);
  });

  test('no token and no claim reaches the log, and each outcome is counted', async () => {
    const { values } = await api.metrics.signIns.get();
    const counted = values.map(({ labels: { via, outcome } }) => `${via} ${outcome}`);
    expect(counted).toEqual(expect.arrayContaining(['oidc ok', 'oidc token_expired', 'none token_missing']));
  });
});
