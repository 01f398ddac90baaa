import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import {
  AgentSettings,
  AgentSettingsChange,
  AgentSettingsList,
  AgentSettingsVersion,
  type OwnAgentSettings,
} from '../../contract/agent-settings.ts';
import { formatDollars } from '../../contract/rules/format.ts';
import type { Budget } from '../../contract/task.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';
import { dollarAmount, wholeNumber } from './number-options.ts';

type JsonOption = { json?: boolean };
/** Commander would make null an empty text. */
type OrNone<T> = T | 'none';
type SetOptions = JsonOption & { [Name in keyof Budget]?: OrNone<number> } & {
  note: string;
  instructions?: string;
  model?: string;
  role?: string[];
  enable?: boolean;
  disable?: boolean;
};

/** What the tenant of the caller sets for an agent. */
export function addAgentSettings(agents: Command, context: CommandContext) {
  const settings = agents
    .command('settings')
    .description('what your tenant sets for an agent, in versions; for the role admin');
  settings
    .command('show')
    .description('what is set, what the operator has and allows, and what holds; or one version')
    .argument('<agent>')
    .argument('[version]', 'default: the newest', wholeNumber({ from: 1, like: 3 }))
    .option('--json', 'as JSON')
    .action((agent: string, version: number | undefined, options: JsonOption) =>
      version === undefined ? show(agent, options, context) : showVersion(agent, version, { ...options, ...context }),
    );
  settings
    .command('set')
    .description('make a new version; what is left out stays, `none` takes a setting away')
    .argument('<agent>')
    .requiredOption('--note <text>', 'why, for those who read the versions')
    .option('--instructions <text>', 'in place of the agent’s own: the text, or @ and a file')
    .option('-m, --model <models>', 'provider:model; more behind commas stand in while it is down')
    .option('--max-cost-usd <dollars>', 'of each task', orNone(dollarAmount))
    .option('--max-tokens <number>', 'of each task', orNone(wholeNumber({ from: 1, like: 100_000 })))
    .option('--max-model-calls <number>', 'of each task', orNone(wholeNumber({ from: 1, like: 20 })))
    .option('--max-duration-s <seconds>', 'of work of each task', orNone(wholeNumber({ from: 1, like: 600 })))
    .option('-r, --role <role...>', 'only those with one of these roles may use it')
    .option('--enable', 'it is there again')
    .option('--disable', 'it is not there for anybody')
    .option('--json', 'as JSON')
    .action((agent: string, options: SetOptions) => set(agent, options, context));
  addListOptions(settings.command('versions').description('who changed what, newest first').argument('<agent>'), {
    usual: 50,
  }).action((agent: string, options: ListOptions) => list(agent, options, context));
  settings
    .command('rollback')
    .description('bring a version back, as a new version; 0: your tenant sets nothing')
    .argument('<agent>')
    .argument('<version>', 'as `versions` lists it', wholeNumber({ from: 0, like: 3 }))
    .requiredOption('--note <text>', 'why, for those who read the versions')
    .option('--json', 'as JSON')
    .action(async (agent: string, version: number, { note, json }: JsonOption & { note: string }) => {
      const answer = await context.api.call(`${path(agent)}/rollback`, {
        method: 'POST',
        json: { version, note },
        answer: AgentSettings,
      });
      print(answer, json, context);
    });
}

const path = (agent: string) => `/v1/agents/${encodeURIComponent(agent)}/settings`;

const orNone =
  <T>(parse: (value: string) => T) =>
  (value: string): OrNone<T> =>
    value === 'none' ? value : parse(value);

async function show(agent: string, { json }: JsonOption, context: CommandContext) {
  print(await context.api.call(path(agent), { answer: AgentSettings }), json, context);
}

async function showVersion(
  agent: string,
  version: number,
  { api, terminal, json }: CommandContext & { json?: boolean | undefined },
) {
  const found = await api.call(`${path(agent)}/versions/${version}`, { answer: AgentSettingsVersion });
  if (json) return terminal.printJson(found);
  const { note, by, at, restores, settings } = found;
  terminal.print(
    table([
      ['agent', agent],
      ['version', `${version}${restores === null ? '' : `, as version ${restores}`}`],
      ['made', `${formatMinute(at)} by ${by}`],
      ['note', note],
      ...rowsOf(settings),
    ]),
  );
  if (settings.instructions !== undefined) terminal.print(`\n${settings.instructions}`);
}

async function set(agent: string, { json, note, ...options }: SetOptions, context: CommandContext) {
  if (Object.keys(options).length === 0) throw usageError('Say what to set, like --max-cost-usd 0.50.');
  if (options.enable && options.disable) throw usageError('Say --enable or --disable, not both.');
  const before = await context.api.call(path(agent), { answer: AgentSettings });
  const settings = await changed(before.settings, options);
  const change = AgentSettingsChange.safeParse({ ...settings, note, basedOn: before.version });
  if (!change.success) throw usageError(z.prettifyError(change.error));
  const answer = await context.api.call(path(agent), { method: 'PUT', json: change.data, answer: AgentSettings });
  print(answer, json, context);
}

async function changed(
  { budget, enabled, ...before }: OwnAgentSettings,
  { instructions, model, role, enable, disable, ...limits }: Omit<SetOptions, 'note' | 'json'>,
): Promise<OwnAgentSettings> {
  const newBudget = withoutNone({ ...budget, ...limits });
  const isEnabled = disable ? false : enable ? undefined : enabled;
  return {
    ...withoutNone({
      ...before,
      ...(instructions === undefined ? {} : { instructions: await readText(instructions) }),
      ...(model === undefined ? {} : { model }),
      ...(role === undefined ? {} : { roles: role.includes('none') ? ('none' as const) : role }),
    }),
    ...(Object.keys(newBudget).length > 0 ? { budget: newBudget } : {}),
    ...(isEnabled === undefined ? {} : { enabled: isEnabled }),
  };
}

const withoutNone = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 'none')) as {
    [Name in keyof T]: Exclude<T[Name], 'none'>;
  };

async function readText(given: string): Promise<string> {
  if (!given.startsWith('@')) return given;
  return readFile(given.slice(1), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`--instructions ${given}: the file cannot be read (${error.code ?? error.message}).`);
  });
}

async function list(agent: string, options: ListOptions, { api, terminal }: CommandContext) {
  const { items: versions, nextCursor } = await readPages(options, {
    usual: 50,
    pageSize: 200,
    async read(query) {
      const answer = await api.call(`${path(agent)}/versions`, { query, answer: AgentSettingsList });
      return { ...answer, items: answer.versions };
    },
  });
  if (options.json) return terminal.printJson({ versions, nextCursor });
  if (versions.length === 0) return terminal.note('Your tenant has set nothing for this agent.');
  const rows = versions.map(({ version, at, by, restores, note }) => [
    String(version),
    formatMinute(at),
    by,
    restores === null ? note : `${note} (as version ${restores})`,
  ]);
  terminal.print(table([['VERSION', 'AT', 'BY', 'NOTE'], ...rows]));
  noteMore({ nextCursor }, terminal);
}

function print(answer: AgentSettings, json: boolean | undefined, { terminal }: CommandContext) {
  if (json) return terminal.printJson(answer);
  const { agent, version, note, by, at, settings, operator, effective } = answer;
  terminal.print(
    table([
      ['agent', agent],
      ['version', version === 0 ? '0: your tenant has set nothing' : String(version)],
      ...(at === null || by === null || note === null
        ? []
        : [
            ['made', `${formatMinute(at)} by ${by}`],
            ['note', note],
          ]),
      ...rowsOf(settings),
      ['models to choose from', operator.models.join(', ')],
      ['holds now', effective.enabled ? effective.model : 'disabled'],
      ['limits of a task', budgetText(effective.budget)],
    ]),
  );
  terminal.print(
    settings.instructions === undefined
      ? `\nThe agent’s own instructions:\n${operator.instructions}`
      : `\nInstructions of your tenant:\n${settings.instructions}`,
  );
}

const rowsOf = ({ enabled, model, budget, roles }: OwnAgentSettings): string[][] => [
  ...(enabled === undefined ? [] : [['enabled', enabled ? 'yes' : 'no']]),
  ...(model === undefined ? [] : [['model', model]]),
  ...(budget === undefined ? [] : [['budget', budgetText(budget)]]),
  ...(roles === undefined ? [] : [['roles', roles.join(', ')]]),
];

function budgetText({ maxCostUsd, maxTokens, maxModelCalls, maxDurationS }: AgentSettings['effective']['budget']) {
  const parts = [
    ...(maxCostUsd === undefined ? [] : [formatDollars(maxCostUsd)]),
    ...(maxTokens === undefined ? [] : [`${maxTokens} tokens`]),
    ...(maxModelCalls === undefined ? [] : [`${maxModelCalls} model calls`]),
    ...(maxDurationS === undefined ? [] : [`${maxDurationS} s of work`]),
  ];
  return parts.join(', ') || 'none';
}
