import { randomBytes } from 'node:crypto';
import type { Config } from '../../../runtime/config.ts';
import { createSlackHarness } from '../slack-harness.ts';

export const installationKey = () => randomBytes(32).toString('base64');

/** The Slack door where other workspaces install Alfred, and browsers that do so. @param more variables */
export async function createInstallHarness(more: { [Name in keyof Config]?: string } = {}) {
  const env = await createSlackHarness(
    (slack) => ({
      SLACK_CLIENT_ID: slack.app.clientId,
      SLACK_CLIENT_SECRET: slack.app.clientSecret,
      SLACK_PUBLIC_URL: 'https://alfred.example.com',
      SLACK_INSTALLATION_KEY: installationKey(),
      ...more,
    }),
    { rateLimits: false },
  );

  /** Opens the page that begins an installation. */
  async function begin() {
    const response = await fetch(`${env.bot.url}/slack/install`, { redirect: 'manual' });
    const [setCookie = ''] = response.headers.getSetCookie();
    return {
      response,
      setCookie,
      cookie: setCookie.split(';')[0] ?? '',
      slackPage: response.headers.get('location') ?? '',
    };
  }

  /** Agrees on Slack's page. @returns what Slack adds to the address to which the browser comes back */
  async function agree(slackPage: string, { id }: { id: string }): Promise<string> {
    const page = new URL(slackPage);
    page.searchParams.set('team', id);
    const { headers } = await fetch(page, { redirect: 'manual' });
    return new URL(headers.get('location') ?? '').search;
  }

  /** Comes back from Slack. */
  async function comeBack(search: string, cookie: string) {
    const response = await fetch(`${env.bot.url}/slack/oauth_redirect${search}`, { headers: cookie ? { cookie } : {} });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  return {
    ...env,
    begin,
    agree,
    comeBack,
    /** All of it in one browser. */
    async install(workspace: { id: string }) {
      const { cookie, slackPage } = await begin();
      return comeBack(await agree(slackPage, workspace), cookie);
    },
    rowOf: async ({ id }: { id: string }) => {
      const { rows } = await env.postgres.pool.query(
        'select state, tenant, token is null as "isEmpty" from slack_installations where team = $1',
        [id],
      );
      return rows[0] as { state: string; tenant: string | null; isEmpty: boolean } | undefined;
    },
  };
}
export type InstallHarness = Awaited<ReturnType<typeof createInstallHarness>>;
