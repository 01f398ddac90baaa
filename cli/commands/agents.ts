import { InvalidArgumentError, type Command } from 'commander';
import { AgentList, type AgentDescription } from '../../contract/agents.ts';
import { Readiness } from '../../contract/health.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { stackEnvironment } from '../stack.ts';
import { table } from '../terminal/terminal.ts';
import { addAgentSettings } from './agent-settings.ts';
import { runTests, type TestOptions } from '../agents/run-tests.ts';
import { wholeNumber } from './number-options.ts';

export function addAgents(program: Command, context: CommandContext) {
  const agents = program.command('agents').description('list, make and test agents');
  agents
    .command('list', { isDefault: true })
    .description('the agents that you may use')
    .option('--json', 'with their input and answer schemas')
    .action(({ json }: { json?: boolean }) => list(json, context));
  agents
    .command('show')
    .description('one agent: what it takes and answers, and the pack that it comes from')
    .argument('<name>')
    .option('--json', 'as JSON')
    .action((name: string, { json }: { json?: boolean }) => show(name, json, context));
  addAgentSettings(agents, context);
  agents
    .command('add')
    .aliases(['new', 'create'])
    .description('write a pack with an agent that runs, outside of this clone')
    .argument('<name>', 'lower-case words joined by -, like order-desk')
    .option('--dir <folder>', 'where its folder is made', '.')
    .option('--json', 'as JSON')
    .action(async (name: string, { dir, json }: { dir: string; json?: boolean }) => {
      const { writeNewPack } = await import('../agents/new-pack.ts');
      const folder = await writeNewPack(name, { dir });
      if (json) return context.terminal.printJson({ folder });
      context.terminal.print(`${folder} is written. Test its agent: alfred agents test ${folder}`);
      context.terminal.print(`Put it to work: ALFRED_AGENT_PACKS=${folder} npm start`);
    });
  agents
    .command('check')
    .description('say whether a pack would be loaded, or why it is refused')
    .argument('<pack>', 'its folder, or the name of an installed package')
    .option('--json', 'as JSON')
    .action((pack: string, { json }: { json?: boolean }) => check(pack, json, context));
  agents
    .command('types')
    .description('write the types that an editor and tsc need to check a pack')
    .argument('<folder>', 'of the pack')
    .action(async (folder: string) => {
      const { writeTypes } = await import('../agents/write-types.ts');
      await writeTypes(folder);
      context.terminal.note(`Types are in ${folder}/types.`);
    });
  agents
    .command('test')
    .description('run the cases in the evals/ of an agent, and print a table of scores with 95 % intervals')
    .argument('<agent>', 'its name, or the folder of a pack')
    .option('-m, --model <model>', 'provider:model; more than once: side by side', collect, [])
    .option(
      '--judge <model>',
      'provider:model that judges cases with `judge`; default: the model that is tested',
      modelName,
    )
    .option('--act', 'run tools that act for real, and not the results of the case in their place')
    .option('--at-once <number>', 'cases at the same time', wholeNumber({ from: 1, like: 4 }), 4)
    .option('--json', 'every case, as JSON')
    .action(async (given: string, options: TestOptions) => {
      process.exitCode = await runTests(given, options, context);
    });
}

function modelName(model: string): string {
  if (!model.includes(':')) throw new InvalidArgumentError('expected provider:model, like anthropic:claude-sonnet-5-5');
  return model;
}

const collect = (model: string, models: string[]): string[] => [...models, modelName(model)];

async function list(json: boolean | undefined, { api, terminal }: CommandContext) {
  const { agents } = await api.call('/v1/agents', { answer: AgentList });
  if (json) return terminal.printJson(agents);
  terminal.print(
    table([
      ['NAME', 'TOOLS', 'DESCRIPTION'],
      ...agents.map(({ name, tools, description }) => [name, tools.join(', '), description]),
    ]),
  );
  // What the process of the API has left out.
  const health = await api.call('/healthz', { answer: Readiness }).catch(() => undefined);
  const refused = health?.dependencies['agent_packs']?.detail;
  if (refused !== undefined) terminal.note(`Packs: ${refused}.`, 'yellow');
}

async function show(name: string, json: boolean | undefined, { api, terminal }: CommandContext) {
  const { agents } = await api.call('/v1/agents', { answer: AgentList });
  const agent = agents.find((each) => each.name === name);
  if (!agent)
    throw usageError(`There is no agent "${name}" for you. There are: ${agents.map((each) => each.name).join(', ')}.`);
  if (json) return terminal.printJson(agent);
  terminal.print(describe(agent));
}

function describe({ name, description, pack, tools, maxSteps, inputSchema, answerSchema }: AgentDescription): string {
  const rows = [
    ['agent', name],
    ['does', description],
    ...(pack === undefined ? [] : [['pack', pack]]),
    ['tools', tools.join(', ') || 'none'],
    ['steps at most', String(maxSteps)],
  ];
  const schemas = [`takes ${JSON.stringify(inputSchema, null, 2)}`];
  if (answerSchema) schemas.push(`answers with ${JSON.stringify(answerSchema, null, 2)}`);
  return [table(rows), ...schemas].join('\n\n');
}

async function check(source: string, json: boolean | undefined, { terminal }: CommandContext) {
  const { checkPack } = await import('../../agents/packs/load-agents.ts');
  const { PackFault } = await import('../../agents/packs/pack-fault.ts');
  const { loadAgentsConfig } = await import('../../runtime/config.ts');
  const config = loadAgentsConfig(await stackEnvironment());
  const found = await checkPack(source, config).catch((error: unknown) => {
    if (error instanceof PackFault) throw new CliError(`${source} is refused: ${error.message}.`);
    throw error;
  });
  if (json) return terminal.printJson(found);
  terminal.print(`${found.name}@${found.version} in ${found.folder} can be loaded.`);
  terminal.print(
    table([
      ['AGENT', 'TOOLS', 'VARIABLES', 'DESCRIPTION'],
      ...found.agents.map(({ name, tools, variables, description }) => [
        name,
        tools.join(', '),
        variables.join(', ') || '–',
        description,
      ]),
    ]),
  );
}
