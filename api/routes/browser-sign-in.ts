import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { EndedSession } from '../../contract/ports/index.ts';
import type { SessionEnd } from '../../contract/rules/audit-actions.ts';
import { returnPath } from '../../contract/rules/return-path.ts';
import {
  attemptCookie,
  attemptsToRemove,
  readCookie,
  sessionCookie,
  sessionCookieIn,
  setCookie,
} from '../../runtime/session-cookie.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { refuseForgery } from '../http/forgery.ts';

const attemptS = 600;
const LogoutRequest = z.object({ logout_token: z.string() });

/**
 * Sign-in by browser, for pages of ours. These are addresses for browsers and for the identity provider, so the API
 * document leaves them out.
 */
export const browserSignInRoutes =
  ({ browserSignIn }: Pick<ApiDeps, 'browserSignIn'>) =>
  async (app: Api) => {
    if (!browserSignIn) return;
    const { publicUrl } = browserSignIn;
    const isSecure = publicUrl.startsWith('https:');
    const schema = { hide: true };
    app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 20_000 },
      (_, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );

    app.get<{ Querystring: { return?: unknown } }>('/auth/login', { schema }, async ({ headers, query }, reply) => {
      const path = returnPath(query.return);
      // The cookie must be there when the provider sends the person back, so all of it happens at one address.
      if (headers.host !== new URL(publicUrl).host)
        return reply.redirect(`${publicUrl}/auth/login?return=${encodeURIComponent(path)}`, 303);
      const { url, state, attempt } = await browserSignIn.begin(path);
      for (const name of attemptsToRemove(headers.cookie, isSecure))
        void reply.header('set-cookie', setCookie(name, '', { publicUrl, maxAgeS: 0 }));
      void reply.header('set-cookie', setCookie(attemptCookie(state), attempt, { publicUrl, maxAgeS: attemptS }));
      return reply.redirect(url, 303);
    });

    app.get('/auth/callback', { schema }, async (request, reply) => {
      const { headers, url } = request;
      const query = url.split('?')[1] ?? '';
      const name = attemptCookie(stateIn(query) ?? '');
      const attempt = readCookie(name, headers.cookie, isSecure);
      // An attempt counts once, also when it fails. Those of other tabs stay.
      if (attempt !== undefined) void reply.header('set-cookie', setCookie(name, '', { publicUrl, maxAgeS: 0 }));
      const { id, returnTo, maxAgeS } = await browserSignIn.finish(query, attempt);
      // A session of before, of this person or another one, ends here: a new one always has another id. When it cannot
      // be ended, the browser keeps it and gets no new one: none stays that counts and that no browser has.
      const before = sessionCookieIn(headers.cookie, publicUrl);
      if (before !== undefined) {
        const { ended } = await browserSignIn.end(before, { replacedBy: id });
        noteEnds(request, 'session.replace', [ended]);
      }
      void reply.header('set-cookie', setCookie(sessionCookie, id, { publicUrl, maxAgeS }));
      return reply.redirect(returnTo, 303);
    });

    app.post('/auth/logout', { schema: { ...schema, body: z.looseObject({}).nullish() } }, async (request, reply) => {
      refuseForgery(request);
      const id = sessionCookieIn(request.headers.cookie, publicUrl);
      void reply.header('set-cookie', setCookie(sessionCookie, '', { publicUrl, maxAgeS: 0 }));
      if (id === undefined) return reply.redirect(`${publicUrl}/`, 303);
      const { url, ended } = await browserSignIn.end(id);
      noteEnds(request, 'sign_out', [ended]);
      return reply.redirect(url, 303);
    });

    app.post('/auth/backchannel-logout', { schema: { ...schema, body: z.unknown() } }, async (request, reply) => {
      const parsed = LogoutRequest.safeParse(request.body);
      if (!parsed.success) throw new AlfredError('malformed_request', 'logout_token is missing.');
      noteEnds(request, 'session.end', await browserSignIn.endByProvider(parsed.data.logout_token));
      return reply.send();
    });
  };

function noteEnds(request: FastifyRequest, action: SessionEnd, sessions: (EndedSession | undefined)[]): void {
  request.ended = { action, sessions: sessions.filter((one) => one !== undefined) };
}

/** The attempt that an answer of the provider is for. */
function stateIn(query: string): string | undefined {
  const [state, ...others] = new URLSearchParams(query).getAll('state');
  return others.length === 0 && /^[\w-]{43}$/.test(state ?? '') ? state : undefined;
}
