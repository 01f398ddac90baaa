import type { Command } from 'commander';
import type { Context } from '../command-context.ts';

export function addReplay(program: Command, context: Context) {
  program
    .command('replay')
    .description('run the code in the tree against what was recorded, and say where they part')
    .argument('[what]', 'a task id, a workflow id, or a history as a JSON file')
    .option('--all-from <folder>', 'every .json file of a folder')
    .action(async (what: string | undefined, { allFrom }: { allFrom?: string }) => {
      // The SDK's worker takes half a second to load; no other command pays for it.
      const { recordedHistories, replayAll } = await import('../replay/replay-all.ts');
      process.exitCode = await replayAll(await recordedHistories(what, allFrom), context);
    });
}
