import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes, formatCount } from '../terminal/format.ts';

const histories = fileURLToPath(new URL('../../test/histories/', import.meta.url));

export function addHistory(program: Command, { terminal }: CommandContext) {
  program
    .command('history')
    .description('recorded runs')
    .command('export')
    .description('keep a run in test/histories/, where every test run replays it')
    .argument('<id>', 'a task id or a workflow id')
    .option('--name <name>', 'what is special about it, like v1-two-tools')
    .option('--to <folder>', 'another folder', histories)
    .option('--json', 'as JSON')
    .action(async (id: string, { name, to, json }: { name?: string; to: string; json?: boolean }) => {
      if (name !== undefined && !/^[\w.-]+$/.test(name))
        throw usageError(`--name "${name}" is not a file name (expected letters, digits, ".", "_" and "-")`);
      const { fetchHistory } = await import('../replay/fetch-history.ts');
      const { historyBytes, historyJson, largePayloads, workflowTypeOf } = await import('../replay/history-file.ts');
      const { workflowId, history } = await fetchHistory(id);
      const file = join(to, `${workflowTypeOf(history)}-${name ?? workflowId.replace(/[^\w.-]+/g, '-')}.json`);
      await mkdir(to, { recursive: true });
      await writeFile(file, historyJson(history), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
        throw usageError(
          error.code === 'EEXIST'
            ? `${relative('.', file)} is there already. Choose another --name, or delete it first.`
            : `${file} cannot be written: ${error.code}`,
        );
      });
      const events = history.events?.length ?? 0;
      const bytes = historyBytes(history);
      if (json) terminal.printJson({ file, workflowId, events, bytes });
      else terminal.print(`${relative('.', file)}: ${formatCount(events, 'event')}, ${formatBytes(bytes)}`);
      for (const { event, bytes: size } of largePayloads(history)) {
        terminal.note(
          `Event ${event} carries ${formatBytes(size)}: more than references should need. Look for content in it before you commit the file.`,
          'yellow',
        );
      }
    });
}
