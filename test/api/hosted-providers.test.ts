import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { audience, startOidcServer, type OidcServer } from '../support/identity/oidc-server.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { JsonObject } from './checked-client.ts';

/**
 * Sign-in as docs/how-to/set-up-sign-in.md sets it up for Auth0 and Entra ID. The issuers are servers of this machine,
 * whose tokens have the claims that the two providers document.
 */
const directory = '11111111-2222-3333-4444-555555555555';
const application = '66666666-7777-8888-9999-000000000000';
let auth0: OidcServer;
let entra: OidcServer;
let api: ApiHarness;
let workers: RunningWorkers;

beforeAll(async () => {
  auth0 = await startOidcServer();
  entra = await startOidcServer();
  const forAuth0 = {
    issuer: auth0.issuer,
    provider: 'auth0',
    tenant: 'company',
    rolesClaim: 'https://example.com/roles',
    groupsClaim: 'https://example.com/groups',
  };
  const forEntra = {
    issuer: entra.issuer,
    name: 'entra',
    provider: 'entra',
    audience: application,
    tenants: [directory],
  };
  api = await createApiHarness({ OIDC_ISSUER: JSON.stringify([forAuth0, forEntra]), OIDC_AUDIENCE: audience });
  workers = await startWorkers(api, api, [documentsQueue]);
});
afterAll(async () => {
  await workers?.stop();
  await api?.close();
  await auth0?.close();
  await entra?.close();
});

let issued = Math.floor(Date.now() / 1_000) - 60;
/** Each token is newer than the one before. */
function nextIssue(): number {
  issued += 1;
  return issued;
}
/** A token of the profile `Auth0`, for an API with roles and groups by an Action. */
const ofAuth0 = async (name: string, { roles = [], groups = [] }: { roles?: string[]; groups?: string[] } = {}) =>
  bearer(
    await auth0.sign(
      {
        sub: `auth0|${name}`,
        aud: [audience, `${auth0.issuer}/userinfo`],
        azp: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
        scope: 'openid offline_access',
        permissions: ['read:orders'],
        'https://example.com/roles': roles,
        'https://example.com/groups': groups,
        tenant: undefined,
        iat: nextIssue(),
      },
      { typ: 'JWT' },
    ),
  );
/** A version 2.0 access token of a person, for an application with the groups claim. */
const ofEntra = async (changes: Record<string, unknown> = {}) =>
  bearer(
    await entra.sign(
      {
        ver: '2.0',
        aud: application,
        sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
        oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
        tid: directory,
        azp: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
        azpacr: '0',
        scp: 'access',
        roles: ['viewer'],
        tenant: undefined,
        iat: nextIssue(),
        ...changes,
      },
      { typ: 'JWT' },
    ),
  );
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const meOf = async (headers: Record<string, string>) => (await api.http.get('/v1/me', headers)).body;

async function add(headers: Record<string, string>, text: string, readers: string) {
  const form = new FormData();
  form.append('file', new Blob([text]), 'plan.md');
  const query = `collection=plans&readers=${readers}`;
  const all = { ...headers, prefer: 'wait=30' };
  const { body } = await api.http.request(`/v1/documents?${query}`, { method: 'POST', body: form, headers: all });
  expect(body).toMatchObject({ outcome: 'all' });
}
/** The names of the documents that a person finds, and of those that are listed. */
async function seenBy(headers: Record<string, string>) {
  const { body } = await api.http.post('/v1/search', { query: 'Heliotrope merger' }, headers);
  const list = (await api.http.get('/v1/documents', headers)).body;
  return [
    (body.passages as JsonObject[]).map((passage) => passage.document),
    (list.documents as JsonObject[]).map((document) => document.name),
  ];
}

test('Auth0: a second person does not find a private document, finds it by a group, and loses it with the next token', async () => {
  const ada = await ofAuth0('ada', { roles: ['admin'], groups: ['board'] });
  expect(await meOf(ada)).toMatchObject({
    tenant: 'company',
    subject: 'auth0|ada',
    kind: 'person',
    roles: ['admin'],
    groups: ['board'],
    scopes: [],
  });
  await add(ada, '# Merger\n\nThe codeword of the merger is Heliotrope.', '');
  expect(await seenBy(ada)).toEqual([['plan.md'], ['plan.md']]);
  expect(await seenBy(await ofAuth0('bo', { groups: ['board'] }))).toEqual([[], []]);

  await add(ada, '# Merger\n\nThe codeword of the merger is Heliotrope!', 'group:board');
  expect(await seenBy(await ofAuth0('bo', { groups: ['board'] }))).toEqual([['plan.md'], ['plan.md']]);
  expect(await seenBy(await ofAuth0('bo'))).toEqual([[], []]);
});

test('Entra ID: the person is `oid` of `tid`; too many groups change none, and none at all takes them away', async () => {
  const group = '7a1b5c3e-0000-4000-8000-000000000001';
  const groupsOf = async (changes: Record<string, unknown>) => (await meOf(await ofEntra(changes))).groups;
  expect(await meOf(await ofEntra({ groups: [group] }))).toMatchObject({
    tenant: directory,
    subject: 'entra:690222be-ff1a-4d56-abd1-7e4f7d38e474',
    kind: 'person',
    roles: ['viewer'],
    scopes: [],
  });
  await add(await ofEntra({ groups: [group] }), '# Merger\n\nThe merger of Heliotrope.', `group:entra:${group}`);
  const bo = { oid: '0b1f6e52-5f0c-4c1c-9a53-1d7c3f7a2b10', sub: 'BBBB' };
  expect(await seenBy(await ofEntra({ ...bo, groups: [group] }))).toEqual([['plan.md'], ['plan.md']]);
  const overage = {
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.windows.net/…/getMemberObjects' } },
  };
  expect(await seenBy(await ofEntra({ ...bo, ...overage }))).toEqual([['plan.md'], ['plan.md']]);
  expect(await seenBy(await ofEntra(bo))).toEqual([[], []]);
  expect(await groupsOf({ groups: [group] })).toEqual([`entra:${group}`]);
});

test('Entra ID: tokens of version 1.0, of another directory, of a guest’s own one and ID tokens are refused', async () => {
  const codeOf = async (changes: Record<string, unknown>) => {
    const response = await fetch(`${api.url}/v1/me`, { headers: await ofEntra(changes) });
    return [response.status, ((await response.json()) as JsonObject).code];
  };
  expect(
    await codeOf({ ver: '1.0', iss: `https://sts.windows.net/${directory}/`, azp: undefined, appid: 'a' }),
  ).toEqual([401, 'token_issuer']);
  expect(await codeOf({ tid: '9188040d-6c67-4c5b-b112-36a304b66dad' })).toEqual([401, 'token_invalid']);
  expect(await codeOf({ aud: '00000003-0000-0000-c000-000000000000' })).toEqual([401, 'token_audience']);
  expect(await codeOf({ azp: undefined, azpacr: undefined, scp: undefined })).toEqual([401, 'token_type']);
  expect(await codeOf({ oid: undefined })).toEqual([401, 'token_invalid']);
});
