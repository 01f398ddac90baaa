import { judgeFailure } from '../../slack/api-calls/call-error.ts';
import { createWebClient } from '../../slack/api-calls/web-client.ts';
import { botEvents, botScopesFor } from '../../slack/app-manifest.ts';
import { ok, unknown, wrong, type Finding } from './finding.ts';

type Deps = {
  botToken: string | undefined;
  appToken: string | undefined;
  apiUrl: string | undefined;
  /** SLACK_LINK_BY_EMAIL is set. */
  linksByEmail: boolean;
};

const manifestFor = ({ linksByEmail }: Pick<Deps, 'linksByEmail'>) =>
  linksByEmail ? 'deploy/slack/manifest-link-by-email.yaml' : 'deploy/slack/manifest.yaml';
const slackClockMs = 60_000;

/** What Slack answers about the tokens: who Alfred is there, and what it may do. */
export async function checkSlack({ appToken, ...deps }: Deps): Promise<Finding[]> {
  const [ofBot, ofApp] = await Promise.all([checkBotToken(deps), checkAppToken(appToken, deps.apiUrl)]);
  return [
    ...ofBot,
    ...ofApp,
    unknown(
      'events',
      'Slack does not say which events an app gets',
      `Compare "Event Subscriptions" of the app with ${manifestFor(deps)}: ${botEvents.join(', ')}.`,
    ),
  ];
}

async function checkBotToken({ botToken: token, apiUrl, linksByEmail }: Omit<Deps, 'appToken'>): Promise<Finding[]> {
  if (token === undefined) return [];
  let date: string | null = null;
  const startedAt = Date.now();
  const client = createWebClient({
    token,
    apiUrl,
    fetch: async (url, init) => {
      const response = await globalThis.fetch(url, init);
      date = response.headers.get('date');
      return response;
    },
  });
  try {
    const answer = await client.auth.test();
    return [
      ok('sign-in', `Alfred is ${String(answer.user)} in the workspace ${String(answer.team)} (${answer.team_id})`),
      checkScopes(answer.response_metadata?.scopes, { linksByEmail }),
      ...checkClock(date, startedAt, Date.now()),
    ];
  } catch (error) {
    return [describeFailure('sign-in', 'auth.test', error, apiUrl), ...checkClock(date, startedAt, Date.now())];
  }
}

/** @param granted absent where Slack, or a proxy, leaves the header out */
export function checkScopes(granted: string[] | undefined, links: Pick<Deps, 'linksByEmail'>): Finding {
  if (granted === undefined || granted.length === 0)
    return unknown('scopes', 'the answer does not name the scopes of the bot token');
  const [scopes, manifest] = [botScopesFor(links), manifestFor(links)];
  const missing = scopes.filter((scope) => !granted.includes(scope));
  if (missing.length === 0) return ok('scopes', `the bot token has the ${scopes.length} scopes of ${manifest}`);
  return wrong(
    'scopes',
    `the bot token lacks ${missing.join(', ')}`,
    `Paste ${manifest} into "App Manifest" of the app, install it again, and copy the token again.`,
  );
}

/** Compares this machine's clock with the time of an answer, which is exact to a second. */
export function checkClock(date: string | null, startedAt: number, endedAt: number): Finding[] {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return [];
  // The answer was written between the two.
  const aheadMs = startedAt > theirs + 1_000 ? startedAt - theirs : endedAt < theirs ? endedAt - theirs : 0;
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) <= slackClockMs) return [ok('clock', `it differs from Slack's by ${seconds} seconds at most`)];
  return [
    wrong(
      'clock',
      `the clock of this machine is ${seconds} seconds ${aheadMs > 0 ? 'ahead of' : 'behind'} Slack's`,
      'Set it by NTP. At more than five minutes Alfred refuses what Slack sends by HTTP.',
    ),
  ];
}

async function checkAppToken(token: string | undefined, apiUrl: string | undefined): Promise<Finding[]> {
  if (token === undefined) return [];
  try {
    await createWebClient({ token, apiUrl }).apps.connections.open();
    return [ok('sockets', 'Slack opens sockets for the app token')];
  } catch (error) {
    return [describeFailure('sockets', 'apps.connections.open', error, apiUrl)];
  }
}

const copyBotToken =
  'Copy the "Bot User OAuth Token" again. If the app was removed from the workspace, install it again before.';
const copyAppToken =
  'Check that "Socket Mode" of the app is on, and generate an "App-Level Token" with the scope connections:write.';

function describeFailure(check: string, method: string, error: unknown, apiUrl: string | undefined): Finding {
  const failure = judgeFailure(method, error);
  if ('retryAfterMs' in failure)
    return unknown(check, 'Slack takes no more calls for now', `Run it again in ${failure.retryAfterMs / 1_000} s.`);
  if (failure.code === 'unavailable') {
    const host = new URL(apiUrl ?? 'https://slack.com').host;
    return wrong(
      check,
      `Slack does not answer at ${host}`,
      `Check that this machine reaches ${host}${apiUrl === undefined ? '' : ', which SLACK_API_URL names'}.`,
    );
  }
  const isBot = method === 'auth.test';
  return wrong(
    check,
    `Slack refuses the ${isBot ? 'bot' : 'app'} token: ${failure.code}`,
    isBot ? copyBotToken : copyAppToken,
  );
}
