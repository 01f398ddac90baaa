import type { Command } from 'commander';
import { AgentList } from '../../contract/agents.ts';
import type { CommandContext } from '../command-context.ts';
import { table } from '../terminal/terminal.ts';

export function addAgents(program: Command, { api, terminal }: CommandContext) {
  program
    .command('agents')
    .description('list the agents')
    .option('--json', 'with their input and output schemas')
    .action(async ({ json }: { json?: boolean }) => {
      const { agents } = await api.call('/v1/agents', { answer: AgentList });
      if (json) return terminal.printJson(agents);
      terminal.print(
        table([
          ['NAME', 'TOOLS', 'DESCRIPTION'],
          ...agents.map(({ name, tools, description }) => [name, tools.join(', '), description]),
        ]),
      );
    });
}
