import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Adapters } from '../../wiring/adapters.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes } from '../terminal/format.ts';
import { loadStackConfig } from '../load-stack-config.ts';
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
    run: (adapters: Adapters, output: Output, folder: string) => Promise<void>,
  ) => {
    const command = index.command(name).description(description).option('--json', 'as JSON');
    // Of `snapshot` and `restore`, the first argument is a folder.
    command.action(async (folder: unknown) => {
      const { json } = command.opts<{ json?: boolean }>();
      const { openAdapters } = await import('../open-adapters.ts');
      const { adapters, close } = await openAdapters(await loadStackConfig());
      try {
        await run(adapters, createOutput(terminal, json), typeof folder === 'string' ? folder : '');
      } finally {
        await close();
      }
    });
    return command;
  };

  addSubcommand('status', 'passages, vectors and what is still to be taken over, by tenant', printStatus);
  addSubcommand('rebuild', 'build it again from Postgres while the old one answers', rebuild);
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

/** Lines for people as they come, or one JSON object at the end. */
type Output = ReturnType<typeof createOutput>;
const createOutput = (terminal: Terminal, json = false) => ({
  line: (text: string) => (json ? undefined : terminal.print(text)),
  note: (text: string) => terminal.note(text),
  result: (result: object) => (json ? terminal.printJson(result) : undefined),
});

async function printStatus(adapters: Adapters, output: Output) {
  const model = (await adapters.embeddings.embedder())?.model;
  const tenants = await Promise.all(
    (await adapters.documents.listTenants()).map(async (tenant) => {
      const { passages, vectors, behind, bytes } = await adapters.passages.state(tenant);
      const { chunks, embedded } = await adapters.vectors.progress(model ?? '', tenant);
      return { tenant, passages, chunks, vectors, embedded, behind, bytes };
    }),
  );
  const rows = tenants.map(({ tenant, passages, chunks, vectors, embedded, behind, bytes }) => [
    tenant,
    `${passages} of ${chunks}`,
    model ? `${vectors} (${embedded} of ${chunks} made)` : 'no model',
    String(behind),
    bytes === null ? 'unknown' : formatBytes(bytes),
  ]);
  output.line(`${adapters.passages.name}, ${model ?? 'by words alone'}`);
  if (rows.length === 0) output.note('There are no documents yet.');
  else output.line(table([['tenant', 'passages', 'vectors', 'changes to take over', 'size'], ...rows]));
  output.result({ index: adapters.passages.name, model: model ?? null, tenants });
}

async function rebuild({ passages: { operations }, documents }: Adapters, output: Output) {
  const rebuilt = operations.parts(await documents.listTenants());
  for (const part of rebuilt) {
    await operations.rebuild(part);
    output.line(`${part}: built again`);
  }
  output.result({ rebuilt });
}

async function verify({ passages: { operations }, documents }: Adapters, output: Output) {
  const differences: { tenant: string; kind: string; ids: string[] }[] = [];
  for (const tenant of await documents.listTenants()) {
    for (const [kind, ids] of Object.entries(await operations.verify(tenant))) {
      if (ids.length > 0) differences.push({ tenant, kind, ids });
      for (const id of ids.slice(0, maxPrintedIds)) output.line(`${tenant}: ${kind} ${id}`);
      if (ids.length > maxPrintedIds) output.line(`${tenant}: ${kind}, and ${ids.length - maxPrintedIds} more`);
    }
  }
  output.result({ differences });
  if (differences.length === 0) return output.line('The index holds what Postgres holds.');
  process.exitCode = exitCodes.failed;
  output.note('`alfred index rebuild` puts it right.');
}

async function writeSnapshots({ passages: { operations }, documents }: Adapters, output: Output, folder: string) {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const part of operations.parts(await documents.listTenants())) {
    const file = fileOf(folder, part);
    await operations.snapshot(part, file).catch((error: Error) => {
      throw new CliError(`${file} cannot be written: ${error.message}. A snapshot never replaces another.`, {
        cause: error,
      });
    });
    files.push(file);
    output.line(file);
  }
  output.result({ files });
}

async function restoreSnapshots({ passages: { operations } }: Adapters, output: Output, folder: string) {
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
    output.line(`${part}: restored`);
  }
  output.result({ restored: parts });
}

const extension = '.index';
const fileOf = (folder: string, part: string) => join(folder, `${encodeURIComponent(part)}${extension}`);
const partOf = (name: string) => decodeURIComponent(name.slice(0, -extension.length));
