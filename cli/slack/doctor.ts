import { agents, findAgent } from '../../agents/index.ts';
import { ConfigError, loadConfig, type Config } from '../../runtime/config.ts';
import { checkChannel } from './check-channel.ts';
import { checkDatabase } from './check-database.ts';
import { checkDoor } from './check-door.ts';
import { checkSlack } from './check-slack.ts';
import { checkTokens } from './check-tokens.ts';
import { ok, wrong, type Finding } from './finding.ts';

type Environment = Record<string, string | undefined>;

/**
 * Checks what the Slack door needs, from its tokens to its last answer. No finding has a token.
 *
 * @param environment that of the stack
 */
export async function examineSlack(environment: Environment): Promise<Finding[]> {
  const { findings, botToken, appToken } = checkTokens(environment);
  const { config, finding } = readSettings(environment);
  const apiUrl = config?.SLACK_API_URL;
  const [ofSlack, ofAlerts, ofApprovals, ofDoor, ofDatabase] = await Promise.all([
    checkSlack({ botToken, appToken, apiUrl, linksByEmail: (config?.SLACK_LINK_BY_EMAIL.length ?? 0) > 0 }),
    checkChannel('alerts', { botToken, channel: config?.SLACK_ALERTS_CHANNEL, apiUrl }),
    checkChannel('approvals', { botToken, channel: config?.SLACK_APPROVALS_CHANNEL, apiUrl }),
    config ? checkDoor(config) : [],
    config ? checkDatabase(config) : [],
  ]);
  return [
    ...findings,
    finding,
    ...(config ? [checkAgent(config)] : []),
    ...ofSlack,
    ...ofAlerts,
    ...ofApprovals,
    ...ofDoor,
    ...ofDatabase,
  ];
}

/** The tokens are checked on their own: with a wrong one, the other settings are read all the same. */
function readSettings(environment: Environment): { config?: Config; finding: Finding } {
  const { SLACK_BOT_TOKEN: token, SLACK_BOT_TOKEN_FILE: file, SLACK_CLIENT_ID: clientId } = environment;
  const isOnlyInstalled = clientId && !token && !file;
  const placeholders = { SLACK_BOT_TOKEN: isOnlyInstalled ? '' : 'xoxb-0', SLACK_APP_TOKEN: 'xapp-0' };
  const others = ['SLACK_SIGNING_SECRET', 'SLACK_BOT_TOKEN_FILE', 'SLACK_APP_TOKEN_FILE', 'SLACK_SIGNING_SECRET_FILE'];
  const without = Object.fromEntries(Object.entries(environment).filter(([name]) => !others.includes(name)));
  try {
    const config = loadConfig({ ...without, ...placeholders }, { secretsMayLack: true });
    return { config, finding: ok('settings', 'the variables fit together') };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      finding: wrong(
        'settings',
        error.message,
        'Correct them. Without DATABASE_URL, start Alfred first (`npm start`), and this command finds it.',
      ),
    };
  }
}

function checkAgent({ SLACK_AGENT: name }: Config): Finding {
  if (findAgent(agents, name)) return ok('agent', `${name} answers`);
  return wrong(
    'agent',
    `SLACK_AGENT names an agent that does not exist: "${name}"`,
    `Set it to one of: ${Object.keys(agents).join(', ')}.`,
  );
}
