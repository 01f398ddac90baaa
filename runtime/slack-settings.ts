import { localPrincipal } from '../contract/principal.ts';
import { readSecretFile } from './secret-file.ts';
import { slackInstallSettingsOf, type InstallVariables, type SlackInstallSettings } from './slack-install-settings.ts';

const tokens = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'] as const;
type Token = (typeof tokens)[number];
const channels = ['SLACK_ALERTS_CHANNEL', 'SLACK_APPROVALS_CHANNEL'] as const;
type Channel = (typeof channels)[number];

/** The variables as they are parsed. */
type Name = Token | `${Token}_FILE` | Channel | 'SLACK_TENANT' | 'SLACK_API_URL';
type SlackVariables = Partial<Record<Name, string | undefined>> & Partial<InstallVariables> & { OIDC_ISSUER?: unknown };

/** How Alfred is in Slack. */
export type SlackSettings = {
  /** Absent: Alfred is only in workspaces that have installed it. */
  botToken: string | undefined;
  /** Absent: no sockets. */
  appToken: string | undefined;
  /** Absent: requests of Slack are refused. */
  signingSecret: string | undefined;
  tenant: string;
  /** Where Alfred says which tasks have failed. Absent: nowhere. */
  alertsChannel: string | undefined;
  /** Where Alfred says what waits for an approval. Absent: nowhere. */
  approvalsChannel: string | undefined;
  /** Absent: Slack's. */
  apiUrl: string | undefined;
  /** Absent: Alfred is only in the workspace of its bot token. */
  installing: SlackInstallSettings | undefined;
};

const isSet = (variables: SlackVariables, token: Token) =>
  variables[token] !== undefined || variables[`${token}_FILE`] !== undefined;

/** Whether this Alfred is in Slack. */
export const hasSlack = (variables: SlackVariables): boolean =>
  isSet(variables, 'SLACK_BOT_TOKEN') || variables.SLACK_CLIENT_ID !== undefined;

/** @throws Error when a file has no secret */
export function slackSettingsOf(variables: SlackVariables): SlackSettings | undefined {
  if (!hasSlack(variables)) return undefined;
  return {
    botToken: tokenOf(variables, 'SLACK_BOT_TOKEN'),
    appToken: tokenOf(variables, 'SLACK_APP_TOKEN'),
    signingSecret: tokenOf(variables, 'SLACK_SIGNING_SECRET'),
    tenant: variables.SLACK_TENANT ?? localPrincipal.tenant,
    alertsChannel: variables.SLACK_ALERTS_CHANNEL,
    approvalsChannel: variables.SLACK_APPROVALS_CHANNEL,
    apiUrl: variables.SLACK_API_URL,
    installing: slackInstallSettingsOf(variables),
  };
}

const shapes: Record<Token, { shape: RegExp; hint: string }> = {
  SLACK_BOT_TOKEN: { shape: /^xoxb-\S+$/, hint: 'the bot token, which begins with xoxb-' },
  SLACK_APP_TOKEN: { shape: /^xapp-\S+$/, hint: 'the app-level token, which begins with xapp-' },
  SLACK_SIGNING_SECRET: { shape: /^\S{16,}$/, hint: 'the signing secret of the Slack app' },
};

function tokenOf(variables: SlackVariables, token: Token): string | undefined {
  const file = variables[`${token}_FILE`];
  if (file === undefined) return variables[token];
  const { shape, hint } = shapes[token];
  const text = readSecretFile(`${token}_FILE`, file, hint).trim();
  if (shape.test(text)) return text;
  throw new Error(`${token}_FILE names a file without ${hint}: ${file}.`);
}

type Fault = { variable: Token | `${Token}_FILE` | 'SLACK_TENANT' | 'OIDC_ISSUER'; message: string };

/** What is wrong with the variables together. */
export function slackFaults(variables: SlackVariables): Fault[] {
  const faults: Fault[] = tokens
    .filter((token) => variables[token] !== undefined && variables[`${token}_FILE`] !== undefined)
    .map((token) => ({ variable: `${token}_FILE`, message: `expected without ${token}: one of the two counts` }));
  // The API has these domains and no token.
  if ((variables.SLACK_LINK_BY_EMAIL?.length ?? 0) > 0 && variables.OIDC_ISSUER === undefined)
    faults.push({
      variable: 'OIDC_ISSUER',
      message: 'is needed with SLACK_LINK_BY_EMAIL: only sign-ins there prove an e-mail address',
    });
  const others = tokens.filter((token) => token !== 'SLACK_BOT_TOKEN' && isSet(variables, token));
  if (!hasSlack(variables)) {
    for (const other of others.slice(0, 1))
      faults.push({ variable: 'SLACK_BOT_TOKEN', message: `is needed with ${other}: with it Alfred writes in Slack` });
    return faults;
  }
  const hasToken = isSet(variables, 'SLACK_BOT_TOKEN');
  if (others.length === 0)
    faults.push({
      variable: 'SLACK_APP_TOKEN',
      message: `is needed with ${hasToken ? 'SLACK_BOT_TOKEN' : 'SLACK_CLIENT_ID'}: with it Slack sends messages by a socket; or SLACK_SIGNING_SECRET, for messages by HTTP`,
    });
  const channel = channels.find((name) => variables[name] !== undefined);
  if (!hasToken && channel !== undefined)
    faults.push({ variable: 'SLACK_BOT_TOKEN', message: `is needed with ${channel}: the channel is in its workspace` });
  if (hasToken && variables.OIDC_ISSUER !== undefined && variables.SLACK_TENANT === undefined)
    faults.push({
      variable: 'SLACK_TENANT',
      message: 'is needed with OIDC_ISSUER and SLACK_BOT_TOKEN: the tenant whose documents people in Slack may read',
    });
  return faults;
}
