import { expect, test } from '@jest/globals';
import { claimAt, readClaims } from '../../../adapters/identity/claims.ts';
import { hasDuplicateMembers } from '../../../adapters/identity/duplicate-members.ts';
import { refuseOtherTokens } from '../../../adapters/identity/token-type.ts';
import {
  issuersOf,
  oidcProviders,
  type IssuerSettings,
  type OidcProvider,
} from '../../../runtime/identity-settings.ts';

type Own = Parameters<typeof issuersOf>[0]['OIDC_ISSUER'];
const settingsOf = (provider: OidcProvider, tenant?: string, own: Partial<NonNullable<Own>[number]> = {}) =>
  issuersOf({
    OIDC_ISSUER: [{ issuer: 'https://idp.example', provider, ...(tenant === undefined ? {} : { tenant }), ...own }],
    OIDC_AUDIENCE: ['alfred'],
    OIDC_PROVIDER: 'generic',
  })[0] as IssuerSettings;

/** A token of a person as each provider's documentation shows it. */
const tokens: Record<OidcProvider, { header?: object; claims: Record<string, unknown>; expected: object }> = {
  generic: {
    claims: { sub: 'u1', roles: ['clerk'], groups: ['staff'] },
    expected: { tenant: 'acme', subject: 'u1', roles: ['clerk'], groups: ['staff'], kind: 'person' },
  },
  keycloak: {
    claims: {
      sub: 'f3c1',
      typ: 'Bearer',
      azp: 'console',
      realm_access: { roles: ['clerk', 'offline_access'] },
      groups: ['staff'],
    },
    expected: { subject: 'f3c1', roles: ['clerk', 'offline_access'], groups: ['staff'] },
  },
  entra: {
    claims: {
      sub: 'pairwise',
      oid: 'o-1',
      tid: 't-1',
      azp: 'web',
      roles: ['clerk'],
      groups: ['g-1'],
      ver: '2.0',
      scp: 'access',
    },
    expected: { tenant: 't-1', subject: 'o-1', roles: ['clerk'], groups: ['g-1'] },
  },
  okta: {
    header: { typ: undefined },
    claims: { sub: 'ada@example.com', uid: '00u1', cid: '0oa1', scp: ['openid'], groups: ['staff'] },
    expected: { subject: '00u1', roles: [], groups: ['staff'], scopes: [] },
  },
  auth0: {
    claims: { sub: 'auth0|1', azp: 'web', org_id: 'org_1', permissions: ['clerk'], scope: 'openid tasks:read' },
    expected: { tenant: 'org_1', subject: 'auth0|1', roles: ['clerk'], groups: [], scopes: ['tasks:read'] },
  },
  google: {
    claims: { sub: '1101', hd: 'example.com', nonce: 'n', at_hash: 'h' },
    expected: { tenant: 'example.com', subject: '1101', roles: [], groups: [] },
  },
};

test.each(oidcProviders)('%s: a token of a person is read with the defaults', (provider) => {
  const { header, claims, expected } = tokens[provider];
  const hasTenant = ['entra', 'auth0', 'google'].includes(provider);
  const settings = settingsOf(provider, hasTenant ? undefined : 'acme');
  refuseOtherTokens({ header: { typ: 'JWT', ...header }, claims }, settings);
  const exp = 2_000_000_000;
  expect(readClaims({ ...claims, exp, iat: exp - 300 }, settings, []).principal).toMatchObject(expected);
});

test.each(['key:k1', 'slack:T1:U1', 'slack:T1:C1', 'local'])('no issuer gives its people the subject %s', (sub) => {
  expect(() => readClaims({ sub, iat: 1, exp: 2 }, settingsOf('generic', 'acme'), [])).toThrow();
  expect(() => readClaims({ sub: `x${sub}`, iat: 1, exp: 2 }, settingsOf('generic', 'acme'), [])).not.toThrow();
});

test('only tenants of the list sign in, also where all of an issuer have one tenant', () => {
  const read = (claims: object, settings: IssuerSettings) =>
    readClaims({ sub: 'x', iat: 1, exp: 2, ...claims }, settings, []).principal.tenant;
  const google = settingsOf('google', 'company', { tenants: ['company.example'] });
  expect(read({ hd: 'company.example' }, google)).toBe('company');
  // An account of its own, outside of any Workspace, has no `hd`.
  for (const claims of [{}, { hd: 'other.example' }, { hd: ['company.example'] }])
    expect(() => read(claims, google)).toThrow(expect.objectContaining({ code: 'token_invalid' }));
  const partner = settingsOf('generic', undefined, { tenantClaim: 'org', tenants: ['partner'] });
  expect(read({ org: 'partner' }, partner)).toBe('partner');
  expect(() => read({ org: 'company' }, partner)).toThrow(expect.objectContaining({ code: 'token_invalid' }));
});

test('groups of an issuer with a name begin with it, and no other issuer gives them', () => {
  const groupsOf = (own: Partial<NonNullable<Own>[number]>) =>
    readClaims({ sub: 'x', iat: 1, exp: 2, groups: ['board', 'partner:board'] }, settingsOf('generic', 'acme', own), [
      'partner',
    ]).principal.groups;
  expect(groupsOf({ name: 'partner' })).toEqual(['partner:board', 'partner:partner:board']);
  expect(groupsOf({})).toEqual(['board']);
});

test('a token without the claim says nothing of groups; an empty list says that there are none', () => {
  const isNamed = (provider: OidcProvider, claims: object) =>
    readClaims({ sub: 'x', oid: 'x', iat: 1, exp: 2, ...claims }, settingsOf(provider, 'acme'), []).namesGroups;
  const overage = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example' } } };
  expect([{}, { groups: null }, { groups: [] }, overage].map((claims) => isNamed('generic', claims))).toEqual([
    false,
    false,
    true,
    false,
  ]);
  // Both leave the claim out for a person without groups.
  expect([{}, { groups: ['a'] }].map((claims) => isNamed('keycloak', claims))).toEqual([true, true]);
  expect([{}, overage, { hasgroups: true }].map((claims) => isNamed('entra', claims))).toEqual([true, false, false]);
  expect(isNamed('google', { groups: ['a'] })).toBe(false);
});

test('scopes limit a token from both claims, with or without the address of the API', () => {
  const scopesOf = (claims: object) =>
    readClaims({ sub: 'x', iat: 1, exp: 2, ...claims }, settingsOf('generic', 'acme'), []).principal.scopes;
  expect(scopesOf({ scope: 'openid', scp: ['tasks:read'] })).toEqual(['tasks:read']);
  expect(scopesOf({ scope: 'api://alfred/tasks:read tasks:read', scp: 'usage:read' })).toEqual([
    'tasks:read',
    'usage:read',
  ]);
  expect(scopesOf({ scope: 'openid https://graph.example/User.Read' })).toEqual([]);
});

test('an ID token of Entra ID without a nonce is no access token', () => {
  const { claims } = tokens.entra;
  const { azp, ...ofId } = claims;
  const refuse = (own: typeof ofId) => refuseOtherTokens({ header: { typ: 'JWT' }, claims: own }, settingsOf('entra'));
  expect(() => refuse(ofId)).toThrow(expect.objectContaining({ code: 'token_type' }));
  expect(() => refuse({ ...ofId, appid: azp })).not.toThrow();
});

test('a program that signed in for itself is a service', () => {
  const kindOf = (claims: object) =>
    readClaims({ sub: 'x', iat: 1, exp: 2, ...claims }, settingsOf('generic', 'acme'), []).principal.kind;
  expect(
    [
      { sub: 'report', client_id: 'report' },
      { sub: 'report@clients', azp: 'report', gty: 'client-credentials' },
      { idtyp: 'app' },
      { client_id: 'report', preferred_username: 'service-account-report' },
    ].map(kindOf),
  ).toEqual(['service', 'service', 'service', 'service']);
  expect(kindOf({ azp: 'console', preferred_username: 'service-account-me' })).toBe('person');
});

test('a claim is found by its name, by a path and by a JSON pointer', () => {
  const claims = { 'https://example.com/roles': ['a'], realm_access: { roles: ['b'] }, 'a/b': { c: 'd' } };
  expect(
    ['https://example.com/roles', 'realm_access.roles', '/realm_access/roles', '/a~1b/c', 'toString', 'a.b'].map(
      (path) => claimAt(claims, path),
    ),
  ).toEqual([['a'], ['b'], ['b'], 'd', undefined, undefined]);
});

test('a member that an object has twice is found, however it is written', () => {
  expect(
    [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '{"x":{"a":1,"a":2}}',
      '[{"b":"{\\"a\\":1,\\"a\\":2}"},{"b":1}]',
      '{"a":"a","b":{"a":1},"c":[{"a":1},{"a":":"}]}',
      '{"a" : 1, "b":"a:", "a" : 2}',
    ].map(hasDuplicateMembers),
  ).toEqual([true, true, true, false, false, true]);
});

test.each<[string, object, string | null | undefined]>([
  ['one that is verified', { email: 'Ada@example.com', email_verified: true }, 'Ada@example.com'],
  ['one that is not verified', { email: 'ada@example.com', email_verified: false }, null],
  ['one that is called verified by a text', { email: 'ada@example.com', email_verified: 'true' }, null],
  ['one of which the provider does not say whether it is verified', { email: 'ada@example.com' }, null],
  ['none, though the client asks for it', { email_verified: true }, null],
  ['nothing of it', {}, undefined],
])('the address of a token: %s', (_, claims, expected) => {
  const { email } = readClaims({ sub: 'ada', iat: 1, exp: 2, ...claims }, settingsOf('generic', 'acme'), []);
  expect(email).toBe(expected);
});
