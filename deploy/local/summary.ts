import { relative } from 'node:path';
import { styleText } from 'node:util';
import { defaultModelOf } from '../../runtime/config.ts';
import { socialSourceNames } from '../../contract/social.ts';
import { hasSlack } from '../../runtime/slack-settings.ts';
import { socialSourceStates } from '../../runtime/social-settings.ts';
import { table } from '../../cli/terminal/terminal.ts';
import type { Stack } from './stack.ts';

/** The text that is printed when the stack is ready: addresses, notes and first commands. */
export function formatSummary({ config, apiUrl, notes, coldStartSeconds, people }: Stack, dataDir: string): string {
  const relativePath = relative(process.cwd(), dataDir);
  const displayedDir = relativePath && !relativePath.startsWith('..') ? relativePath : dataDir;
  const rows = [
    ['API', apiUrl],
    ['API docs', `${apiUrl}/docs`],
    ['Temporal UI', config.TEMPORAL_UI_URL],
    ['Metrics', `${apiUrl}/metrics`],
    ['Data', displayedDir],
    ['Logs', `${displayedDir}/logs`],
    ['Social', socialText(config)],
    [
      'Answers',
      defaultModelOf(config).startsWith('offline:')
        ? 'offline: quotes from your documents. Set ANTHROPIC_API_KEY (or ALFRED_MODEL and OPENAI_API_KEY) and start again'
        : defaultModelOf(config),
    ],
    ['Slack', slackText(config)],
  ];
  const width = Math.max(...rows.map(([name]) => name?.length ?? 0));
  return [
    '',
    styleText('bold', `Alfred is ready after ${coldStartSeconds.toFixed(1)} s`),
    '',
    ...rows.map(([name, value]) => `  ${name?.padEnd(width)}  ${value}`),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `  Note: ${note}`)] : []),
    '',
    ...signInLines(people),
    'In a second terminal:',
    ...(people.length > 0 ? ['  ./alfred login'] : []),
    '  ./alfred documents add docs/examples/policies',
    '  ./alfred ask "How many days do I have to file an expense report?"',
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

const slackText = (config: Stack['config']) =>
  hasSlack(config)
    ? `on: write to the app in Slack; its health is at http://127.0.0.1:${config.SLACK_PORT}/healthz`
    : 'off: docs/how-to/slack.md says how to turn it on';

/** Which sources social-intel reads, and which variable turns on each of the others. */
function socialText(config: Stack['config']): string {
  const states = socialSourceStates(config);
  const on = states.filter(({ isOn }) => isOn).map(({ source }) => socialSourceNames[source]);
  const off = states.flatMap(({ source, hint }) =>
    hint ? `${socialSourceNames[source]} is off (${hint.replace(/\.$/, '')})` : [],
  );
  return [on.length > 0 ? `reads ${on.join(', ')}` : 'reads nothing', ...off].join('; ');
}

function signInLines(people: Stack['people']): string[] {
  if (people.length === 0) return [];
  const rows = people.map(({ name, password, roles, groups }) => [
    name,
    password,
    roles.join(', '),
    groups.join(', ') || 'no group',
  ]);
  return [
    'People who can sign in, with password, roles and groups:',
    ...table(rows)
      .split('\n')
      .map((row) => `  ${row}`),
    '',
  ];
}
