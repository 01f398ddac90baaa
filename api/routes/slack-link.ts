import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { SlackLinkRequest } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { decide } from '../../contract/rules/policy.ts';
import { isSlackLinkCode, shownDigits, slackLinkPath } from '../../contract/rules/slack-link.ts';
import { hashSlackLinkCode, hashSlackLinkDigits, newSlackLinkDigits } from '../../runtime/slack-link-code.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { identityOf } from '../http/identity.ts';
import { page, sendPage } from '../http/page.ts';

type Deps = Pick<ApiDeps, 'browserSignIn' | 'config' | 'identify' | 'slackLinking' | 'tenants'>;

const LinkForm = z.object({ code: z.string().max(100) });

/** No one is signed in, or not any more. */
const signInCodes: ReadonlySet<unknown> = new Set(['session_ended', 'token_missing', 'token_expired']);

/**
 * The page where a person who is signed in by browser confirms that a Slack user is its own. For browsers, so the API
 * document leaves it out.
 */
export const slackLinkRoutes = (deps: Deps) => async (app: Api) => {
  const { browserSignIn, slackLinking } = deps;
  if (!browserSignIn || !slackLinking) return;
  const schema = { hide: true };
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 2_000 },
    (_, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  app.get<{ Querystring: { code?: unknown } }>(slackLinkPath, { schema }, async (request, reply) => {
    const { code } = request.query;
    if (!isSlackLinkCode(code)) return sendOver(reply);
    const here = `${slackLinkPath}?code=${code}`;
    // A person who follows the link in Slack's own page comes from another site. The session counts for our pages
    // alone, so the browser asks once more, from here.
    if (isFromElsewhere(request)) return sendThrough(reply, here);
    const person = await readPerson(deps, request);
    if (!person) return reply.redirect(`/auth/login?return=${encodeURIComponent(here)}`, 303);
    const found = await slackLinking.find(hashSlackLinkCode(code));
    const refusal = found ? whyNot(person, found) : undefined;
    if (refusal !== undefined) return sendRefusal(reply, refusal);
    return found ? sendQuestion(reply, { code, person, found }) : sendOver(reply);
  });

  app.post(slackLinkPath, { schema: { ...schema, body: LinkForm } }, async (request, reply) => {
    const { code } = request.body;
    const person = await readPerson(deps, request);
    if (!person) throw new AlfredError('session_ended');
    const hash = isSlackLinkCode(code) ? hashSlackLinkCode(code) : undefined;
    const found = hash && (await slackLinking.find(hash));
    if (!hash || !found) return sendOver(reply);
    const refusal = whyNot(person, found);
    if (refusal !== undefined) return sendRefusal(reply, refusal);
    const digits = newSlackLinkDigits();
    const digitsHash = hashSlackLinkDigits(found.team, found.userId, digits);
    if (!(await slackLinking.confirm(hash, person, digitsHash))) return sendOver(reply);
    return sendDigits(reply, digits, found);
  });
};

/** @returns undefined when no one is signed in by browser */
async function readPerson(
  { identify, config, tenants }: Deps,
  request: FastifyRequest,
): Promise<Principal | undefined> {
  let principal: Principal;
  try {
    ({ principal } = await identityOf(request, identify));
  } catch (error) {
    if (error instanceof AlfredError && signInCodes.has(error.code)) return undefined;
    throw error;
  }
  // A key or a token is no person in front of a page.
  if (principal.via !== 'session') return undefined;
  if (config.ALFRED_ONLY_LISTED_TENANTS && (await tenants.find(principal.tenant)).state === 'unlisted')
    throw new AlfredError('tenant_unknown');
  request.scope = principal;
  return principal;
}

function isFromElsewhere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** @returns why this person may not be linked with that Slack user */
function whyNot(person: Principal, { tenant, workspace }: SlackLinkRequest): string | undefined {
  if (person.tenant !== tenant)
    return `The people of the Slack workspace ${workspace} belong to another tenant than you.`;
  // A service that has only its own tasks has no Slack user.
  return decide(person, 'own', 'create', 'conversation').allowed
    ? undefined
    : 'Your roles do not allow a link with a Slack user.';
}

const sendOver = (reply: FastifyReply) =>
  sendPage(reply, 404, {
    title: 'This address does not count any more',
    body: page`<p>It counts once, and for ten minutes. Write <strong>/alfred link</strong> in Slack to get another one.</p>`,
  });

const sendRefusal = (reply: FastifyReply, why: string) =>
  sendPage(reply, 403, { title: 'This link is not possible', body: page`<p>${why}</p>` });

const sendThrough = (reply: FastifyReply, here: string) =>
  sendPage(reply, 200, {
    title: 'Link a Slack user',
    head: page`<meta http-equiv="refresh" content="0;url=${here}">`,
    body: page`<p><a class="button" href="${here}">Go on</a></p>`,
  });

function sendQuestion(
  reply: FastifyReply,
  { code, person, found }: { code: string; person: Principal; found: SlackLinkRequest },
) {
  const { userName, userId, workspace } = found;
  return sendPage(reply, 200, {
    title: 'Link a Slack user',
    body: page`<p>Link Slack user <strong>${userName}</strong> (${userId}) of workspace <strong>${workspace}</strong> to you, <strong>${person.subject}</strong>?</p>
<p>In Slack, ${userName} may then do and read in direct messages with Alfred what you may. <strong>Go on only if you wrote /alfred link in Slack yourself, just now.</strong></p>
<form method="post" action="${slackLinkPath}"><input type="hidden" name="code" value="${code}"><button>Link</button></form>`,
  });
}

const sendDigits = (reply: FastifyReply, digits: string, { userName }: SlackLinkRequest) =>
  sendPage(reply, 200, {
    title: 'One step more',
    body: page`<p>Write this in Slack, as ${userName}, within ten minutes of your <strong>/alfred link</strong>:</p>
<p><code>/alfred link ${shownDigits(digits)}</code></p>
<p>Give it to no other person: it is what makes the link yours.</p>`,
  });
