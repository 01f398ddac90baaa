import type { Command } from 'commander';
import { exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import type { FeedbackOptions } from '../slack/feedback.ts';
import type { Finding } from '../slack/finding.ts';
import { formatCount } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wholeNumber } from './number-options.ts';
import { addSlackErase } from './slack-erase.ts';
import { addSlackLinks } from './slack-links.ts';
import { addSlackWorkspaces } from './slack-workspaces.ts';

export function addSlack(program: Command, context: CommandContext) {
  const { terminal } = context;
  const slack = program
    .command('slack')
    .description(
      'the Slack door: what is wrong with it, a trial, its workspaces, whom Slack users are linked with, and feedback',
    );
  addSlackErase(slack, context);
  addSlackLinks(slack, context);
  addSlackWorkspaces(slack, context);
  slack
    .command('doctor')
    .description('check the tokens, scopes, sockets, clock, database and door, and say what to do')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { slackEnvironment } = await import('../slack/slack-environment.ts');
      const { examineSlack } = await import('../slack/doctor.ts');
      const checks = await examineSlack(await slackEnvironment());
      const faults = checks.filter(({ state }) => state === 'wrong').length;
      if (faults > 0) process.exitCode = exitCodes.failed;
      if (json) return terminal.printJson({ isWell: faults === 0, checks });
      printFindings(checks, terminal);
      terminal.note(faults === 0 ? 'Nothing is wrong.' : `${formatCount(faults, 'fault')}.`);
    });
  slack
    .command('feedback')
    .description('what people think of answers, with questions and answers; for operators, on the database')
    .option('--tenant <name>', 'of this tenant; default: SLACK_TENANT')
    .option('--jsonl', 'a JSON object a line, in the form of a question for `alfred eval answers`')
    .option('--json', 'as JSON')
    .action(async (options: FeedbackOptions) => {
      const { printFeedback } = await import('../slack/feedback.ts');
      await printFeedback(options, terminal);
    });
  slack
    .command('try')
    .description('open a fake Slack as a page on this machine, with the door that runs against it')
    .option(
      '--port <port>',
      'port of the page; default: the next free one from 8012 on',
      wholeNumber({ from: 1, like: 8012 }),
    )
    .option('--json', 'the address as JSON')
    .action(async ({ port, json }: { port?: number; json?: boolean }) => {
      const { trySlack } = await import('../slack/try.ts');
      const { url } = await trySlack({ port });
      if (json) return terminal.printJson({ url });
      terminal.print(url);
      terminal.note('Open this page: write to Alfred there. All of it is on this machine. Ctrl-C ends it.');
    });
}

const marks = { ok: '✓', wrong: '✗', unknown: '?' } as const;

function printFindings(checks: Finding[], terminal: Terminal) {
  const width = Math.max(...checks.map(({ check }) => check.length));
  const indent = ' '.repeat(width + 4);
  for (const { check, state, message, advice } of checks) {
    const lines = [message, ...(advice === undefined ? [] : [advice])].flatMap((text) => text.split('\n'));
    terminal.print(`${marks[state]} ${check.padEnd(width)}  ${lines.join(`\n${indent}`)}`);
  }
}
