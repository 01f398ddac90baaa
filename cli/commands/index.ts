import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../runtime/config.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes } from '../terminal/format.ts';
import { stackEnvironment } from '../stack.ts';
import { table, type Terminal } from '../terminal/terminal.ts';

/** `verify` prints this many ids of each kind of difference, and counts the others. */
const maxPrintedIds = 10;

export function addIndex(program: Command, { terminal }: CommandContext) {
  const index = program
    .command('index')
    .description('the search index, which is derived from Postgres and may be lost at any time');
  const addSubcommand = (
    name: string,
    description: string,
    run: (adapters: Adapters, terminal: Terminal, folder: string) => Promise<void>,
  ) =>
    index
      .command(name)
      .description(description)
      .action(async (folder: unknown) => {
        const { openAdapters } = await import('../open-adapters.ts');
        const { adapters, close } = await openAdapters(loadConfig(await stackEnvironment()));
        try {
          await run(adapters, terminal, typeof folder === 'string' ? folder : '');
        } finally {
          await close();
        }
      });

  addSubcommand('status', 'passages, vectors and what is still to be taken over, by tenant', printStatus);
  addSubcommand('rebuild', 'build it anew from Postgres while the old one answers', rebuild);
  addSubcommand('verify', 'compare it with Postgres, passage by passage', verify);
  addSubcommand(
    'snapshot',
    'write it to a folder: a file a tenant, or one for all with Qdrant',
    writeSnapshots,
  ).argument('<folder>', 'it may be new');
  addSubcommand(
    'restore',
    'put a snapshot in its place; what has changed since is taken over',
    restoreSnapshots,
  ).argument('<folder>', 'one that `snapshot` wrote');
}

async function printStatus(adapters: Adapters, terminal: Terminal) {
  const model = (await adapters.embeddings.embedder())?.model;
  const rows = await Promise.all(
    (await adapters.documents.listTenants()).map(async (tenant) => {
      const state = await adapters.passages.state(tenant);
      const { chunks, embedded } = await adapters.vectors.progress(model ?? '', tenant);
      const vectors = model ? `${state.vectors} (${embedded} of ${chunks} made)` : 'no model';
      return [
        tenant,
        `${state.passages} of ${chunks}`,
        vectors,
        String(state.behind),
        state.bytes === null ? 'unknown' : formatBytes(state.bytes),
      ];
    }),
  );
  terminal.print(`${adapters.passages.name}, ${model ?? 'by words alone'}`);
  if (rows.length === 0) return terminal.note('There are no documents yet.');
  terminal.print(table([['tenant', 'passages', 'vectors', 'changes to take over', 'size'], ...rows]));
}

async function rebuild({ passages: { operations }, documents }: Adapters, terminal: Terminal) {
  for (const part of operations.parts(await documents.listTenants())) {
    await operations.rebuild(part);
    terminal.print(`${part}: built anew`);
  }
}

async function verify({ passages: { operations }, documents }: Adapters, terminal: Terminal) {
  let differences = 0;
  for (const tenant of await documents.listTenants()) {
    for (const [kind, ids] of Object.entries(await operations.verify(tenant))) {
      differences += ids.length;
      for (const id of ids.slice(0, maxPrintedIds)) terminal.print(`${tenant}: ${kind} ${id}`);
      if (ids.length > maxPrintedIds) terminal.print(`${tenant}: ${kind}, and ${ids.length - maxPrintedIds} more`);
    }
  }
  if (differences === 0) return terminal.print('The index holds what Postgres holds.');
  process.exitCode = exitCodes.failed;
  terminal.note('`alfred index rebuild` puts it right.');
}

async function writeSnapshots({ passages: { operations }, documents }: Adapters, terminal: Terminal, folder: string) {
  await mkdir(folder, { recursive: true });
  for (const part of operations.parts(await documents.listTenants())) {
    const file = fileOf(folder, part);
    await operations.snapshot(part, file).catch((error: Error) => {
      throw new CliError(`${file} cannot be written: ${error.message}. A snapshot never replaces another.`, {
        cause: error,
      });
    });
    terminal.print(file);
  }
}

async function restoreSnapshots({ passages: { operations } }: Adapters, terminal: Terminal, folder: string) {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${folder} cannot be read: ${error.code}`);
  });
  const parts = files.filter((name) => name.endsWith(extension)).map((name) => partOf(name));
  if (parts.length === 0) throw usageError(`${folder} holds no snapshot (expected files *${extension}).`);
  const known = operations.parts(parts);
  const unknown = parts.find((part) => !known.includes(part));
  if (unknown !== undefined)
    throw usageError(`${fileOf(folder, unknown)} is not of this kind of index, which is saved as ${known.join(', ')}.`);
  for (const part of parts) {
    await operations.restore(part, fileOf(folder, part));
    terminal.print(`${part}: restored`);
  }
}

const extension = '.index';
const fileOf = (folder: string, part: string) => join(folder, `${encodeURIComponent(part)}${extension}`);
const partOf = (name: string) => decodeURIComponent(name.slice(0, -extension.length));
