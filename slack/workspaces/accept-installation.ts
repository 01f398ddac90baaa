import type { Installation, OrgInstallation } from '@slack/oauth';
import type { NewSlackInstallation, SlackInstallationState } from '../../contract/ports/index.ts';
import type { Page } from './send-page.ts';

type Deps = {
  isOwn: (team: string) => boolean;
  /** @returns undefined when no more are stored */
  store: (installation: NewSlackInstallation) => Promise<SlackInstallationState | undefined>;
  /** Makes a token worthless that is not stored. */
  revoke: (token: string) => Promise<void>;
};

const maxName = 100;

const orgPage: Page = {
  status: 403,
  title: 'Alfred is not installed in whole organisations',
  text: 'It is installed in one workspace at a time, because each has its own documents. Choose a workspace at the top of the page of Slack.',
};

const rotatedPage: Page = {
  status: 403,
  title: 'Alfred was not installed',
  text: 'The Slack app has "Token Rotation" on, which Alfred does not use. The people who run Alfred make the app again from its manifest.',
};

const noBotPage: Page = {
  status: 502,
  title: 'Alfred was not installed',
  text: 'Slack gave no token of a bot. The people who run Alfred compare the app with deploy/slack/manifest.yaml.',
};

const fullPage: Page = {
  status: 503,
  title: 'Alfred was not installed',
  text: 'So many workspaces wait to be let in that no more are taken. The people who run Alfred let them in or remove them: alfred slack workspaces',
};

const servedPage: Page = {
  status: 200,
  title: 'Alfred is in this workspace already',
  text: 'It answers there with a token that the people who run Alfred have set (SLACK_BOT_TOKEN).',
};

/**
 * Stores an installation, or says why not.
 *
 * It gives a workspace nothing yet: an operator lets it in, and names the tenant whose documents its people may read.
 */
export async function acceptInstallation(
  { team, bot, user, isEnterpriseInstall }: Installation | OrgInstallation,
  { isOwn, store, revoke }: Deps,
): Promise<Page> {
  if (isEnterpriseInstall === true || !team) {
    if (bot) await revoke(bot.token);
    return orgPage;
  }
  if (!bot || !/^T[A-Z0-9]{1,40}$/.test(team.id)) return noBotPage;
  // It may be the very token of the setting, so it is not revoked.
  if (isOwn(team.id)) return servedPage;
  if (bot.refreshToken !== undefined) {
    await revoke(bot.token);
    return rotatedPage;
  }
  const name = (team.name ?? team.id).slice(0, maxName);
  const state = await store({
    team: team.id,
    name,
    botId: bot.id,
    botUserId: bot.userId,
    installedBy: user.id,
    token: bot.token,
  });
  if (state === undefined) {
    await revoke(bot.token);
    return fullPage;
  }
  return state === 'allowed'
    ? { status: 200, title: `Alfred is installed in ${name}`, text: 'It goes on answering there, with its new token.' }
    : {
        status: 200,
        title: `Alfred is installed in ${name}`,
        text: `It answers there when the people who run it have let this workspace in: alfred slack workspaces allow ${team.id} --tenant <tenant>`,
      };
}
