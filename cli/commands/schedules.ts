import type { Command } from 'commander';
import { z } from 'zod';
import { Schedule, ScheduleList } from '../../contract/schedule.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount, formatMinute, formatSecond } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { readInput } from './ask-input.ts';
import { addListOptions, noteMore, ofOption, readPages, type ListOptions, type OfOption } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type CreateOptions = {
  name: string;
  cron?: string;
  every?: number;
  timeZone?: string;
  agent: string;
  ask?: string;
  input?: string;
  overlap?: string;
  slackChannel?: string;
  json?: boolean;
};

export function addSchedules(program: Command, context: CommandContext) {
  const schedules = program.command('schedules').description('what is asked again and again');
  addListOptions(schedules.command('list', { isDefault: true }).description('newest first'), { usual: 20 })
    .addOption(ofOption('own', 'tenant'))
    .action((options: ListOptions & OfOption) => list(options, context));
  schedules
    .command('show')
    .description('one schedule: what it asks, its next and its last runs')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => show(id, options, context));
  schedules
    .command('add')
    .alias('create')
    .description('ask an agent again and again')
    .requiredOption('--name <name>', 'what it is called')
    .option('--ask <question>', 'what you want to know each time')
    .option('--input <json>', 'in place of a question: the input as JSON, @file, or - for standard input')
    .option('--cron <expression>', 'when, like "0 8 * * MON-FRI"')
    .option('--time-zone <zone>', 'whose clock --cron reads, like Europe/Berlin; default UTC')
    .option(
      '--every <seconds>',
      'in place of --cron: seconds from one run to the next',
      wholeNumber({ from: 1, like: 3600 }),
    )
    .option('--overlap <policy>', 'while a run is under way: skip, buffer_one, buffer_all, cancel_other or allow_all')
    .option('-a, --agent <name>', 'which agent (see `alfred agents`)', 'knowledge')
    .option('--slack-channel <id>', 'post each answer to this channel of Slack, like C0123ABCD')
    .option('--json', 'as JSON')
    .action((options: CreateOptions) => create(options, context));
  for (const { verb, description, result } of verbs)
    schedules
      .command(verb)
      .description(description)
      .argument('<id>')
      .option('--json', 'as JSON')
      .action((id: string, options: { json?: boolean }) => act(id, { verb, result, ...options }, context));
  schedules
    .command('remove')
    .alias('delete')
    .description('end a schedule; runs under way go on')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => remove(id, options, context));
}

/** Each is a `POST /v1/schedules/{id}/{verb}`. */
const verbs = [
  { verb: 'pause', description: 'keep it from running', result: 'is paused' },
  { verb: 'resume', description: 'let it run again', result: 'goes on' },
  { verb: 'run', description: 'run it now', result: 'runs now' },
] as const;

const path = (id: string) => `/v1/schedules/${encodeURIComponent(id)}`;

async function list({ of, ...options }: ListOptions & OfOption, { api, terminal }: CommandContext) {
  const { items: schedules, nextCursor } = await readPages(options, {
    usual: 20,
    pageSize: 100,
    async read(query) {
      const answer = await api.call('/v1/schedules', { query: { of, ...query }, answer: ScheduleList });
      return { ...answer, items: answer.schedules };
    },
  });
  if (options.json) return terminal.printJson({ schedules, nextCursor });
  if (schedules.length === 0)
    return terminal.note('No schedules. Make one: alfred schedules add --name … --cron "0 8 * * MON-FRI" --ask "…"');
  terminal.print(table([['ID', 'NAME', 'WHEN', 'NEXT', 'LAST'], ...schedules.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = (schedule: Schedule) => [
  schedule.id,
  schedule.owner === undefined ? schedule.name : `of ${schedule.owner}`,
  whenOf(schedule),
  nextOf(schedule),
  schedule.recentRuns[0] ? formatMinute(schedule.recentRuns[0].at) : '',
];

const whenOf = ({ timing }: Schedule) =>
  timing.cron === undefined ? `every ${timing.everyS} s` : `${timing.cron} (${timing.timeZone})`;

/** The time of the next run, or why there is none. */
function nextOf({ state, paused, nextRuns }: Schedule): string {
  if (state !== 'scheduled') return state;
  if (paused) return 'paused';
  return nextRuns[0] ? formatMinute(nextRuns[0]) : 'never';
}

async function show(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  const schedule = await api.call(path(id), { answer: Schedule });
  if (json) return terminal.printJson(schedule);
  const { action, note, running, recentRuns, nextRuns } = schedule;
  terminal.print(
    table([
      ['schedule', schedule.id],
      ['name', schedule.name],
      ['when', whenOf(schedule)],
      ['next', nextRuns.length > 0 ? nextRuns.map(formatMinute).join(', ') : nextOf(schedule)],
      ...(action.task ? [['agent', action.task.agent]] : []),
      ...(action.notify ? [['channel', action.notify.slack.channel]] : []),
      ...(action.message ? [['conversation', action.message.conversationId]] : []),
      ['running', formatCount(running, 'task')],
      ['temporal', schedule.links.temporal],
    ]),
  );
  if (note !== null) terminal.print(`\n${note}`);
  warn(schedule, terminal);
  if (schedule.state === 'missing')
    terminal.print('\nIt was deleted in Temporal. `alfred schedules resume` makes it again.');
  if (recentRuns.length === 0) return;
  const rows = recentRuns.map(({ at, taskId, messageId, error }) => [
    formatSecond(at),
    taskId ?? messageId ?? '',
    error ? `${error.message} (${error.code})` : '',
  ]);
  terminal.print(`\n${table([['RUN', 'TASK', 'ERROR'], ...rows])}`);
}

async function create(
  { name, cron, every, timeZone, agent, ask = '', input: given, overlap, slackChannel, json }: CreateOptions,
  { api, terminal }: CommandContext,
) {
  if ((cron === undefined) === (every === undefined))
    throw usageError('Say when: --cron "0 8 * * MON-FRI" or --every 3600, one of them.');
  if (ask === '' && given === undefined) throw usageError('Say what to ask each time: --ask "What?" or --input JSON.');
  const input = await readInput(ask, given);
  const timing = { cron, everyS: every, timeZone, overlap };
  const notify = slackChannel === undefined ? undefined : { slack: { channel: slackChannel } };
  const schedule = await api.call('/v1/schedules', {
    method: 'POST',
    json: { name, timing, action: { task: { agent, input }, notify } },
    answer: Schedule,
  });
  if (json) return terminal.printJson(schedule);
  terminal.print(schedule.id);
  terminal.note(`Next run: ${nextOf(schedule)}`, 'dim');
  warn(schedule, terminal);
}

const warn = ({ warnings }: Schedule, terminal: CommandContext['terminal']) => {
  for (const warning of warnings) terminal.note(`Note: ${warning}`, 'yellow');
};

async function act(
  id: string,
  { verb, result, json }: { verb: string; result: string; json?: boolean },
  { api, terminal }: CommandContext,
) {
  const schedule = await api.call(`${path(id)}/${verb}`, { method: 'POST', answer: Schedule });
  if (json) return terminal.printJson(schedule);
  terminal.print(`${schedule.name} ${result}.`);
}

async function remove(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  await api.call(path(id), { method: 'DELETE', answer: z.undefined() });
  if (json) return terminal.printJson({ id, deleted: true });
  terminal.print('The schedule is deleted.');
}
