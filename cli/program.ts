import { Command } from 'commander';
import { version } from '../runtime/version.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './examples.ts';

type AddCommand = (program: Command, context: CommandContext) => void;

/** Every command, in the order of the help. Each is loaded only when it is needed. */
const loaders: Record<string, () => Promise<AddCommand>> = {
  ask: async () => (await import('./commands/ask.ts')).addAsk,
  chat: async () => (await import('./commands/chat.ts')).addChat,
  conversations: async () => (await import('./commands/conversations.ts')).addConversations,
  documents: async () => (await import('./commands/documents.ts')).addDocuments,
  collections: async () => (await import('./commands/collections.ts')).addCollections,
  search: async () => (await import('./commands/search.ts')).addSearch,
  tasks: async () => (await import('./commands/tasks.ts')).addTasks,
  approvals: async () => (await import('./commands/approvals.ts')).addApprovals,
  schedules: async () => (await import('./commands/schedules.ts')).addSchedules,
  sources: async () => (await import('./commands/sources.ts')).addSources,
  slack: async () => (await import('./commands/slack.ts')).addSlack,
  keys: async () => (await import('./commands/keys.ts')).addKeys,
  authz: async () => (await import('./commands/authz.ts')).addAuthz,
  audit: async () => (await import('./commands/audit.ts')).addAudit,
  intrusion: async () => (await import('./commands/intrusion.ts')).addIntrusion,
  login: async () => (await import('./commands/login.ts')).addLogin,
  logout: async () => (await import('./commands/logout.ts')).addLogout,
  whoami: async () => (await import('./commands/whoami.ts')).addWhoami,
  usage: async () => (await import('./commands/usage.ts')).addUsage,
  eval: async () => (await import('./commands/eval.ts')).addEval,
  index: async () => (await import('./commands/index.ts')).addIndex,
  contacts: async () => (await import('./commands/contacts.ts')).addContacts,
  memories: async () => (await import('./commands/memories.ts')).addMemories,
  agents: async () => (await import('./commands/agents.ts')).addAgents,
  mcp: async () => (await import('./commands/mcp.ts')).addMcp,
  config: async () => (await import('./commands/config.ts')).addConfig,
  replay: async () => (await import('./commands/replay.ts')).addReplay,
  history: async () => (await import('./commands/history.ts')).addHistory,
  tenants: async () => (await import('./commands/tenants.ts')).addTenants,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
  setup: async () => (await import('./commands/setup.ts')).addSetup,
  completion: async () => (await import('./commands/completion.ts')).addCompletion,
};

export const commandNames = Object.keys(loaders);

/** The names of the commands that these arguments need: one, none for the version, all of them for the help. */
export function neededCommands([first = '']: readonly string[]): string[] {
  if (first === '--version' || first === '-V') return [];
  return Object.hasOwn(loaders, first) ? [first] : commandNames;
}

/** Creates the program with these commands. */
export async function createProgram(names: readonly string[], context: CommandContext | undefined): Promise<Command> {
  const program = new Command('alfred')
    .description('Durable AI agents for a company, on Temporal.')
    .version(version)
    .addHelpText(
      'after',
      '\nFinds Alfred by ALFRED_URL, else the stack that runs in this clone, else http://127.0.0.1:8080.',
    )
    .exitOverride();
  const added = await Promise.all(names.flatMap((name) => loaders[name]?.() ?? []));
  if (context) for (const add of added) add(program, context);
  for (const command of allCommands(program)) finish(command);
  return program;
}

/** Gives a command its examples, and its errors the right help to look at. */
function finish(command: Command) {
  const path = pathOf(command);
  command.showHelpAfterError(`(\`${path} --help\` says more)`);
  const lines = examples[path.replace(/^alfred ?/, '')] ?? [];
  if (lines.length > 0) command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  const { parent } = command;
  if (!parent?.parent || command.name() !== 'list') return;
  // A group lists when no subcommand is named: an unknown subcommand would be an argument of the list.
  command.allowExcessArguments().hook('preAction', () => {
    const [word] = command.args;
    if (word !== undefined) parent.error(`error: \`${pathOf(parent)}\` has no command '${word}'`);
  });
}

/** The command itself, and every command below it. */
export const allCommands = (command: Command): Command[] => [command, ...command.commands.flatMap(allCommands)];

/** `alfred schedules list` */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
