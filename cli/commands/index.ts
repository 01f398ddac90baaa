import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../runtime/config.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes } from '../terminal/format.ts';
import type { OpenAdapters } from '../open-adapters.ts';
import { stackEnvironment } from '../stack.ts';
import { table } from '../terminal/terminal.ts';

/** Shown of what differs; the rest is counted. */
const shown = 10;

export function addIndex(program: Command, { terminal }: CommandContext) {
  const index = program
    .command('index')
    .description('the search index, which is derived from Postgres and may be lost at any time');
  const on = (name: string, description: string, work: (open: OpenAdapters, folder: string) => Promise<void>) =>
    index
      .command(name)
      .description(description)
      .action(async (folder: unknown) => {
        const { openAdapters } = await import('../open-adapters.ts');
        const open = await openAdapters(loadConfig(await stackEnvironment()));
        try {
          await work(open, typeof folder === 'string' ? folder : '');
        } finally {
          await open.close();
        }
      });

  on('status', 'passages, vectors and what is still to be taken over, by tenant', async ({ adapters }) => {
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
  });

  on('rebuild', 'build it anew from Postgres while the old one answers', async ({ adapters }) => {
    const { operations } = adapters.passages;
    for (const part of operations.parts(await adapters.documents.listTenants())) {
      await operations.rebuild(part);
      terminal.print(`${part}: built anew`);
    }
  });

  on('verify', 'compare it with Postgres, passage by passage', async ({ adapters }) => {
    let wrong = 0;
    for (const tenant of await adapters.documents.listTenants()) {
      const found = await adapters.passages.operations.verify(tenant);
      for (const [what, ids] of Object.entries(found)) {
        wrong += ids.length;
        for (const id of ids.slice(0, shown)) terminal.print(`${tenant}: ${what} ${id}`);
        if (ids.length > shown) terminal.print(`${tenant}: ${what}, and ${ids.length - shown} more`);
      }
    }
    if (wrong === 0) return terminal.print('The index holds what Postgres holds.');
    process.exitCode = exitCodes.failed;
    terminal.note('`alfred index rebuild` puts it right.');
  });

  on('snapshot', 'write it to a folder: a file a tenant, or one for all with Qdrant', async ({ adapters }, folder) => {
    const { operations } = adapters.passages;
    await mkdir(folder, { recursive: true });
    for (const part of operations.parts(await adapters.documents.listTenants())) {
      const file = fileOf(folder, part);
      await operations.snapshot(part, file).catch((error: Error) => {
        throw new CliError(`${file} cannot be written: ${error.message}. A snapshot never replaces another.`, {
          cause: error,
        });
      });
      terminal.print(file);
    }
  }).argument('<folder>', 'it may be new');

  on('restore', 'put a snapshot in its place; what has changed since is taken over', async ({ adapters }, folder) => {
    const { operations } = adapters.passages;
    const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`${folder} cannot be read: ${error.code}`);
    });
    const parts = files.filter((name) => name.endsWith(ending)).map((name) => partOf(name));
    if (parts.length === 0) throw usageError(`${folder} holds no snapshot (expected files *${ending}).`);
    const known = operations.parts(parts);
    const other = parts.find((part) => !known.includes(part));
    if (other !== undefined)
      throw usageError(`${fileOf(folder, other)} is not of this kind of index, which is saved as ${known.join(', ')}.`);
    for (const part of parts) {
      await operations.restore(part, fileOf(folder, part));
      terminal.print(`${part}: restored`);
    }
  }).argument('<folder>', 'one that `snapshot` wrote');
}

const ending = '.index';
const fileOf = (folder: string, part: string) => join(folder, `${encodeURIComponent(part)}${ending}`);
const partOf = (name: string) => decodeURIComponent(name.slice(0, -ending.length));
