import { readSecretFile } from '../../runtime/secret-file.ts';
import { ok, wrong, type Finding } from './finding.ts';

type Environment = Record<string, string | undefined>;
type Variable = keyof typeof expected;

export type Tokens = {
  findings: Finding[];
  /** Only where it is of the right kind. */
  botToken: string | undefined;
  appToken: string | undefined;
};

const expected = {
  SLACK_BOT_TOKEN: { check: 'bot token', shape: /^xoxb-\S+$/, what: 'the "Bot User OAuth Token" (xoxb-…)' },
  SLACK_APP_TOKEN: { check: 'app token', shape: /^xapp-\S+$/, what: 'an "App-Level Token" (xapp-…)' },
  SLACK_SIGNING_SECRET: { check: 'signing secret', shape: /^\S{16,}$/, what: 'the "Signing Secret" of the app' },
} as const;

/** What Slack's tokens begin with. */
const kinds: Record<string, string> = {
  xoxb: 'a bot token, which belongs into SLACK_BOT_TOKEN',
  xapp: 'an app-level token, which belongs into SLACK_APP_TOKEN',
  xoxp: 'a token of a person',
  xoxe: 'a token that is replaced again and again ("token rotation"), which Alfred does not use',
};

const setIt = 'Put it into the file `.env` beside package.json, and start Alfred again: docs/how-to/slack.md.';

/** Whether the tokens are there and of the right kind. No finding has any of a token but its kind. */
export function checkTokens(environment: Environment): Tokens {
  const [bot, app, secret] = (Object.keys(expected) as Variable[]).map((variable) => readToken(environment, variable));
  const findings: Finding[] = [
    ...botFindings(bot?.finding, environment),
    ...[app?.finding, secret?.finding].filter((finding) => finding !== undefined),
  ];
  if (app?.finding === undefined && secret?.finding === undefined)
    findings.push(
      wrong(
        'app token',
        'neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: Slack cannot send anything',
        `Generate an "App-Level Token" with the scope connections:write. ${setIt}`,
      ),
    );
  return { findings, botToken: bot?.token, appToken: app?.token };
}

/** Where other workspaces install Alfred, it needs no token of its own. */
function botFindings(found: Finding | undefined, environment: Environment): Finding[] {
  if (found) return [found];
  return environment['SLACK_CLIENT_ID']
    ? [ok('bot token', 'SLACK_BOT_TOKEN is not set: Alfred is in the workspaces that have installed it')]
    : [wrong('bot token', 'SLACK_BOT_TOKEN is not set: Slack is off', setIt)];
}

/** @returns nothing where the variable is not set */
function readToken(environment: Environment, variable: Variable): { token?: string; finding?: Finding } {
  const { check, shape, what } = expected[variable];
  const [value, file] = [environment[variable] || undefined, environment[`${variable}_FILE`] || undefined];
  if (value === undefined && file === undefined) return {};
  if (value !== undefined && file !== undefined)
    return { finding: wrong(check, `${variable} and ${variable}_FILE are both set`, 'Set one of the two.') };
  let token = value ?? '';
  if (file !== undefined)
    try {
      token = readSecretFile(`${variable}_FILE`, file, what).trim();
    } catch (error) {
      return { finding: wrong(check, (error as Error).message, setIt) };
    }
  const name = file === undefined ? variable : `the file of ${variable}_FILE`;
  if (shape.test(token)) return { token, finding: ok(check, `${name} is ${what}`) };
  return { finding: wrong(check, `${name} is ${kindOf(token)}; expected ${what}`, `Copy ${what} again. ${setIt}`) };
}

function kindOf(token: string): string {
  if (/\s/.test(token.trim())) return 'a text with spaces or line breaks';
  const kind = kinds[token.trim().slice(0, 4)];
  if (token !== token.trim() && kind !== undefined) return 'a token with spaces around it';
  return kind ?? 'something else';
}
