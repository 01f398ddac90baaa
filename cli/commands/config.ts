import type { Command } from 'commander';
import { describeConfig, ignoredVariables } from '../../runtime/config.ts';
import { configPage } from '../config-page.ts';
import type { CommandContext } from '../command-context.ts';
import { loadStackConfig } from '../load-stack-config.ts';
import { localRun, stackEnvironment } from '../stack.ts';
import { table } from '../terminal/terminal.ts';

export function addConfig(program: Command, { terminal }: CommandContext) {
  program
    .command('config')
    .description('the configuration in force, secrets masked')
    .option('--json', 'as JSON')
    .option('--markdown', 'every variable as the page docs/reference/configuration.md')
    .action(async ({ json, markdown }: { json?: boolean; markdown?: boolean }) => {
      if (markdown) return terminal.write(configPage());
      const environment = await stackEnvironment();
      const entries = describeConfig(await loadStackConfig(), environment);
      const ignored = ignoredVariables(environment);
      if (ignored.length > 0) terminal.note(`This version of Alfred does not read ${ignored.join(', ')}.`);
      if (json) return terminal.printJson(entries);
      terminal.note(
        (await localRun())
          ? 'Of the stack that runs in this clone:'
          : 'Of this environment (no stack runs in this clone):',
        'dim',
      );
      terminal.print(
        table([
          ['VARIABLE', 'VALUE', 'FROM', 'MEANING'],
          ...entries.map(({ name, value, source, description }) => [name, value || '–', source, description]),
        ]),
      );
    });
}
