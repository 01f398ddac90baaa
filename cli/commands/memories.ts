import type { Command } from 'commander';
import { z } from 'zod';
import { Memory, MemoryList, MemoryRequest } from '../../contract/memories.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { table } from '../terminal/terminal.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type AddOptions = { group?: string; expiresInDays?: number; json?: boolean };

export function addMemories(program: Command, context: CommandContext) {
  const memories = program.command('memories').description('what Alfred remembers for you and your groups');
  addListOptions(memories.command('list', { isDefault: true }).description('newest first'), {
    usual: 50,
  }).action((options: ListOptions) => list(options, context));
  memories
    .command('add')
    .alias('create')
    .description('remember something for later conversations')
    .argument('<text>', 'a fact or a wish, in a sentence')
    .option('-g, --group <name>', 'also for the members of a group of yours')
    .option('--expires-in-days <days>', 'default: 365', wholeNumber({ from: 1, like: 90 }))
    .option('--json', 'as JSON')
    .action((text: string, options: AddOptions) => add(text, options, context));
  memories
    .command('remove')
    .alias('delete')
    .description('forget something that you had remembered')
    .argument('<id>')
    .action(async (id: string) => {
      await context.api.call(`/v1/memories/${encodeURIComponent(id)}`, { method: 'DELETE', answer: z.unknown() });
      context.terminal.note(`${id} is forgotten.`);
    });
}

async function add(text: string, { json, ...options }: AddOptions, { api, terminal }: CommandContext) {
  const request = MemoryRequest.safeParse({ text, ...options });
  if (!request.success) throw usageError(z.prettifyError(request.error));
  const memory = await api.call('/v1/memories', { method: 'POST', json: request.data, answer: Memory });
  if (json) return terminal.printJson(memory);
  terminal.print(`${memory.id} is remembered until ${memory.expiresAt.slice(0, 10)}.`);
}

async function list(options: ListOptions, { api, terminal }: CommandContext) {
  const { items: memories, nextCursor } = await readPages(options, {
    usual: 50,
    pageSize: 200,
    async read(query) {
      const answer = await api.call('/v1/memories', { query, answer: MemoryList });
      return { ...answer, items: answer.memories };
    },
  });
  if (options.json) return terminal.printJson({ memories, nextCursor });
  if (memories.length === 0) return terminal.note('Alfred remembers nothing for you yet: alfred memories add "…"');
  const rows = memories.map(({ id, group, createdAt, expiresAt, text }) => [
    id,
    group === null ? 'you' : `group ${group}`,
    createdAt.slice(0, 10),
    expiresAt.slice(0, 10),
    text.replaceAll(/\s+/g, ' '),
  ]);
  terminal.print(table([['ID', 'FOR', 'SINCE', 'UNTIL', 'TEXT'], ...rows]));
  noteMore({ nextCursor }, terminal);
}
