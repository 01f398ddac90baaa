import { randomBytes } from 'node:crypto';
import { audience, startOidcServer } from '../support/identity/oidc-server.ts';
import { createApiHarness } from './api-harness.ts';

export const site = 'https://alfred.example.com';
export const sessionCookie = '__Host-alfred-session';
export type Headers = Record<string, string>;
type Body = { payload?: string; from?: string };
type Method = 'GET' | 'POST' | 'DELETE';

/** An API where people sign in by browser, and requests as the proxy at `site` passes them on. */
export async function createBrowserHarness() {
  const people = { ada: { roles: ['developer'], groups: ['staff'] }, bert: { roles: [] } };
  const oidc = await startOidcServer(people);
  const api = await createApiHarness({
    OIDC_ISSUER: oidc.issuer,
    OIDC_AUDIENCE: audience,
    OIDC_TENANT: 'acme',
    OIDC_CLIENT_ID: 'web',
    OIDC_CLIENT_SECRET: 'a secret of the pages, which is long enough',
    ALFRED_PUBLIC_URL: site,
    ALFRED_API_HOSTS: 'alfred.example.com',
    ALFRED_SESSION_KEY: randomBytes(32).toString('base64'),
  });

  /** A request as the proxy at `site` passes it on. */
  async function send(method: Method, url: string, headers: Headers = {}, more: Body = {}) {
    const { payload, from } = more;
    const response = await api.app.inject({
      method,
      url,
      ...(from !== undefined && { remoteAddress: from }),
      headers: { host: 'alfred.example.com', ...headers },
      ...(payload !== undefined && { payload }),
    });
    const cookies = [response.headers['set-cookie'] ?? []].flat();
    return {
      status: response.statusCode,
      location: String(response.headers.location ?? ''),
      cookies,
      body: response.headers['content-type']?.toString().includes('json')
        ? response.json<Record<string, unknown>>()
        : {},
    };
  }
  const me = async (id: string) => {
    const { status, body } = await send('GET', '/v1/me', withSession(id));
    return [status, body['code'] ?? body['subject']];
  };
  const rows = async () => (await api.postgres.pool.query('select * from browser_sessions')).rows as { sid: string }[];
  const tokenRequests = () => oidc.requests.filter((url) => url === '/token').length;

  /** Up to the moment when the provider sends the browser back. */
  async function begin(subject: string, returnTo = '/docs') {
    const begun = await send('GET', `/auth/login?return=${encodeURIComponent(returnTo)}`);
    const attempt = attemptIn(begun.cookies);
    const back = await oidc.followTo(begun.location, `${site}/auth/callback`, subject);
    return { begun, attempt, callback: back.slice(site.length) };
  }
  async function signIn(subject: string, returnTo?: string) {
    const { begun, attempt, callback } = await begin(subject, returnTo);
    const ended = await send('GET', callback, { cookie: attempt });
    return { begun, ended, attempt, callback, id: valueOf(ended.cookies, sessionCookie) };
  }
  const due = () => api.postgres.pool.query("update browser_sessions set refresh_at = now() - interval '1 second'");
  async function close() {
    await api.close();
    await oidc.close();
  }
  return { people, oidc, api, send, me, rows, tokenRequests, begin, signIn, due, close };
}

export const valueOf = (cookies: string[], name: string) =>
  cookies.map((line) => new RegExp(`^${name}=([^;]+)`).exec(line)?.[1]).find((value) => value !== undefined) ?? '';
/** The cookie of the attempt that begins, as the browser sends it. */
export const attemptIn = (cookies: string[]) => /^__Host-alfred-sign-in-[^;]+/.exec(cookies.at(-1) ?? '')?.[0] ?? '';
export const withSession = (id: string): Headers => ({ cookie: `${sessionCookie}=${id}` });
export const fromOurPage: Headers = { origin: site, 'sec-fetch-site': 'same-origin' };
