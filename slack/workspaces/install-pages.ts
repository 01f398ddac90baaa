import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  ErrorCode,
  InstallProvider,
  InvalidStateError,
  type CodedError,
  type Installation,
  type OrgInstallation,
} from '@slack/oauth';
import type { SlackInstallations } from '../../contract/ports/index.ts';
import { signInsOfAddress, windowMs } from '../../contract/rules/request-limits.ts';
import { countedAddress } from '../../runtime/counted-address.ts';
import { isDatabaseUnavailable } from '../../runtime/database/database-errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { sourceOf } from '../../runtime/peer.ts';
import type { SlackInstallSettings } from '../../runtime/slack-install-settings.ts';
import { createWindowCounter } from '../../runtime/window-counter.ts';
import { judgeFailure } from '../api-calls/call-error.ts';
import { callTimeoutMs, createWebClient } from '../api-calls/web-client.ts';
import { botScopesFor } from '../app-manifest.ts';
import { silentLog } from '../silent-log.ts';
import { acceptInstallation } from './accept-installation.ts';
import { pageHeaders, sendPage, type Page } from './send-page.ts';
import type { ServedWorkspaces } from './serve-workspaces.ts';
import type { Workspaces } from './workspaces.ts';

const installPath = '/slack/install';
const redirectPath = '/slack/oauth_redirect';
/** An installation takes a minute. Slack's code lasts ten. */
const stateLastsMs = 600_000;
/** Browsers keep a cookie with this beginning from any other host or path. */
const cookieName = '__Host-alfred-slack-install';

type Deps = {
  /** Absent: other workspaces cannot install Alfred. */
  installing: SlackInstallSettings | undefined;
  apiUrl: string | undefined;
  installations: Pick<SlackInstallations, 'issueState' | 'useState' | 'store'>;
  workspaces: Pick<Workspaces, 'isOwn' | 'forget'>;
  served: Pick<ServedWorkspaces, 'refresh'>;
  /** Of ours: they say from where a request comes. */
  proxies: readonly string[];
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
};

/** By path. */
type Pages = Map<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>;

/**
 * The pages with which a workspace installs Alfred, by Slack's OAuth:
 * https://docs.slack.dev/authentication/installing-with-oauth
 *
 * An installation counts once, for ten minutes, and in the browser that began it. The library checks its cookie; the
 * state is ours, because the library's own one counts more than once.
 */
export function createInstallPages({ installing, apiUrl, proxies, ...deps }: Deps): Pages {
  if (!installing) return new Map();
  const { installations, workspaces, served, log } = deps;
  const { clientId, clientSecret, publicUrl } = installing;
  const requests = createWindowCounter({ limit: 'address', most: signInsOfAddress, windowMs });
  const options = { scopes: botScopesFor(installing), redirectUri: `${publicUrl}${redirectPath}` };
  const again = { address: `${publicUrl}${installPath}`, text: 'Begin again' };
  const provider = new InstallProvider({
    clientId,
    clientSecret,
    authorizationUrl: new URL('/oauth/v2/authorize', apiUrl ?? 'https://slack.com').href,
    directInstall: true,
    installUrlOptions: options,
    stateCookieName: cookieName,
    stateCookieExpirationSeconds: stateLastsMs / 1_000,
    stateStore: {
      generateStateParam: async () => installations.issueState(stateLastsMs),
      async verifyStateParam(_now, state) {
        if (await installations.useState(state)) return options;
        throw new InvalidStateError('The state is too old, or was used.');
      },
    },
    // It would log tokens and addresses with codes.
    logger: silentLog,
    clientOptions: {
      ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: callTimeoutMs,
    },
  });

  async function accept(installation: Installation | OrgInstallation, response: ServerResponse): Promise<boolean> {
    const page = await acceptInstallation(installation, {
      isOwn: workspaces.isOwn,
      store: async (accepted) => {
        const state = await installations.store(accepted);
        log.info({ team: accepted.team, state }, 'a workspace has installed Alfred');
        workspaces.forget(accepted.team);
        void served.refresh();
        return state;
      },
      revoke: async (token) => {
        // The workspace gave it, and it is not wanted.
        await createWebClient({ token, apiUrl })
          .auth.revoke()
          .catch((error: unknown) =>
            log.warn({ code: codeOf(error) }, 'a token that is not used could not be revoked'),
          );
      },
    });
    sendPage(response, page);
    // All is done: the library has nothing to store.
    return false;
  }

  async function begin(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
    await provider.handleInstallPath(request, response);
  }

  async function finish(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = new URLSearchParams(request.url?.split('?')[1]).get('error');
    if (refusal !== null && refusal !== 'access_denied')
      return sendPage(response, { ...refusedPage(refusal), link: again });
    await provider.handleCallback(request, response, {
      afterInstallation: (installation, _options, _request, answer) => accept(installation, answer),
      failure(error, _options, _request, answer) {
        const page = failurePage(error);
        if (page.status >= 500) log.error({ code: codeOf(error) }, 'an installation of Alfred in Slack failed');
        sendPage(answer, { ...page, link: again });
      },
    });
  }

  const admitted =
    (answer: typeof begin) =>
    async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      if (request.method !== 'GET')
        return sendPage(response, { status: 405, title: 'This is a page', text: 'Open it in a browser.' });
      const source = sourceOf({ headers: request.headers, raw: request }, proxies);
      const { isExceeded } = requests.take(countedAddress(source, request.socket.remoteAddress ?? ''));
      return isExceeded ? sendPage(response, busyPage) : answer(request, response);
    };

  return new Map([
    [installPath, admitted(begin)],
    [redirectPath, admitted(finish)],
  ]);
}

/** Slack's name of an error; nothing of what was sent. */
function codeOf(error: unknown): string {
  const failure = judgeFailure('oauth.v2.access', error);
  if (failure instanceof Error) return failure.code;
  return 'ratelimited';
}

const busyPage: Page = {
  status: 429,
  title: 'Too many requests',
  text: 'This address asks for these pages too often. Try it again in a minute.',
};

const deniedPage: Page = {
  status: 403,
  title: 'Alfred was not installed',
  text: 'You, or those who administer the workspace, did not agree.',
};

const overPage: Page = {
  status: 400,
  title: 'This installation does not count',
  text: 'An installation counts once, for ten minutes, and in the browser that began it.',
};

const awayPage: Page = {
  status: 503,
  title: 'Alfred was not installed',
  text: 'Something that Alfred needs does not answer at the moment. Try it again soon.',
};

const refusedPage = (code: string): Page => ({
  status: 502,
  title: 'Alfred was not installed',
  text: `Slack refuses it: ${code.slice(0, 100)}. The people who run Alfred compare the app's settings with docs/how-to/slack.md.`,
});

/** Slack's names of errors about a code that was used, or is none. */
const codeErrors: ReadonlySet<string> = new Set(['code_already_used', 'invalid_code', 'no_code', 'invalid_grant']);
const denied: string = ErrorCode.AuthorizationError;
const stateErrors: ReadonlySet<string> = new Set([
  ErrorCode.InvalidStateError,
  ErrorCode.MissingCodeError,
  ErrorCode.MissingStateError,
]);

function failurePage(error: CodedError): Page {
  if (error.code === denied) return deniedPage;
  if (stateErrors.has(error.code)) return overPage;
  const code = codeOf(error);
  if (codeErrors.has(code)) return overPage;
  return isDatabaseUnavailable(error) || code === 'unavailable' || code === 'ratelimited'
    ? awayPage
    : refusedPage(code);
}
