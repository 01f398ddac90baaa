import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';

export function addReplay(program: Command, context: CommandContext) {
  program
    .command('replay')
    .description('run the code in the tree against what was recorded, and say where they part')
    .argument('[what]', 'a task id, a workflow id, or a history as a JSON file')
    .option('--all-from <folder>', 'every .json file of a folder')
    .option('--json', 'as JSON')
    .action(async (source: string | undefined, { allFrom, json }: { allFrom?: string; json?: boolean }) => {
      // Loaded here, because the SDK's worker takes half a second to load.
      const { loadHistories, replayAll } = await import('../replay/replay-all.ts');
      process.exitCode = await replayAll(await loadHistories(source, allFrom), { ...context, json });
    });
}
