import type { Command } from 'commander';
import { z } from 'zod';
import { ReaderList } from '../../contract/readers.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';

type ShareOptions = { with?: string[]; none?: boolean; json?: boolean };

/** Adds the command that shows and replaces the readers of a task or conversation. */
export function addShare(parent: Command, context: CommandContext, path: (id: string) => string) {
  parent
    .command('share')
    .description('who may read it beside you; with an option, who may from now on')
    .argument('<id>')
    .option('-w, --with <reader...>', 'these and no others: everyone, group:<name>, subject:<id>')
    .option('--none', 'no one any more')
    .option('--json', 'as JSON')
    .action((id: string, options: ShareOptions) => share(`${path(id)}/readers`, options, context));
}

async function share(path: string, options: ShareOptions, { api, terminal }: CommandContext) {
  if (options.with && options.none) throw usageError('Say --with or --none, not both.');
  const readers = options.none ? [] : options.with;
  const list = readers && ReaderList.safeParse({ readers });
  if (list && !list.success) throw usageError(z.prettifyError(list.error));
  const answer = await api.call(path, { answer: ReaderList, ...(list ? { method: 'PUT', json: list.data } : {}) });
  if (options.json) return terminal.printJson(answer);
  if (answer.readers.length === 0) return terminal.note('It is shared with no one.');
  for (const reader of answer.readers) terminal.print(reader);
}
