import type { Command } from 'commander';
import { z } from 'zod';
import { defaultChunking } from '../../contract/chunking.ts';
import { Collection, CollectionList, CollectionSettings } from '../../contract/collections.ts';
import { ApiProblem, type ApiClient } from '../client/api-client.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type SetOptions = { chunkTokens?: number; overlapTokens?: number; json?: boolean };

export function addCollections(program: Command, context: CommandContext) {
  const collections = program.command('collections').description('how documents of a collection are cut');
  addListOptions(
    collections.command('list', { isDefault: true }).description('by name, with what of each you may read'),
    { usual: Infinity },
  ).action((options: ListOptions) => list(options, context));
  collections
    .command('show')
    .description('one collection')
    .argument('<name>')
    .option('--json', 'as JSON')
    .action(async (name: string, options: { json?: boolean }) => show(await read(name, context.api), options, context));
  collections
    .command('set')
    .description('cut its documents otherwise from now on; what is left out stays')
    .argument('<name>')
    .option('--chunk-tokens <tokens>', 'longest chunk, 64 to 1000; 350 by default', wholeNumber({ from: 1, like: 350 }))
    .option(
      '--overlap-tokens <tokens>',
      'how much of it repeats the one before, less than half',
      wholeNumber({ from: 0, like: 50 }),
    )
    .option('--json', 'as JSON')
    .action((name: string, options: SetOptions) => set(name, options, context));
}

const path = (name: string) => `/v1/collections/${encodeURIComponent(name)}`;
const read = (name: string, api: ApiClient) => api.call(path(name), { answer: Collection });

async function set(name: string, { json, ...options }: SetOptions, context: CommandContext) {
  if (options.chunkTokens === undefined && options.overlapTokens === undefined)
    throw usageError('Say what to set: --chunk-tokens 500, --overlap-tokens 50, or both.');
  const before = await read(name, context.api).catch((error: unknown) => {
    if (error instanceof ApiProblem && error.code === 'not_found') return { settings: defaultChunking };
    throw error;
  });
  const settings = CollectionSettings.safeParse({ ...before.settings, ...options });
  if (!settings.success) throw usageError(z.prettifyError(settings.error));
  const collection = await context.api.call(path(name), { method: 'PUT', json: settings.data, answer: Collection });
  show(collection, { json }, context);
}

function show(collection: Collection, { json }: { json?: boolean | undefined }, { terminal }: CommandContext) {
  if (json) return terminal.printJson(collection);
  const { name, settings, documents, chunks, outdated } = collection;
  terminal.print(
    table([
      ['collection', name],
      ['chunk', `${settings.chunkTokens} tokens`],
      ['overlap', `${settings.overlapTokens} tokens`],
      ['documents', String(documents)],
      ['passages', String(chunks)],
    ]),
  );
  if (outdated > 0)
    terminal.note(
      `${formatCount(outdated, 'document')} cut by other settings: add them again, or have their source synced (alfred sources sync).`,
    );
}

async function list(options: ListOptions, { api, terminal }: CommandContext) {
  const { items: collections, nextCursor } = await readPages(options, {
    usual: Infinity,
    pageSize: 500,
    async read(query) {
      const answer = await api.call('/v1/collections', { query, answer: CollectionList });
      return { ...answer, items: answer.collections };
    },
  });
  if (options.json) return terminal.printJson({ collections, nextCursor });
  if (collections.length === 0)
    return terminal.note('There are no collections yet. Add documents to one: alfred documents add <path> -c <name>');
  terminal.print(table([['NAME', 'CHUNK', 'OVERLAP', 'DOCUMENTS', 'PASSAGES', 'OUTDATED'], ...collections.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = ({ name, settings, documents, chunks, outdated }: Collection) => [
  name,
  String(settings.chunkTokens),
  String(settings.overlapTokens),
  String(documents),
  String(chunks),
  String(outdated),
];
