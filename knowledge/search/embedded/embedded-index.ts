import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import { coalesce } from '../../../runtime/coalesce.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { countChangesAfter, oldestUnappliedChange } from '../change-log.ts';
import { compareWithPostgres } from '../compare-with-postgres.ts';
import type { PassageIndex } from '../passage-index.ts';
import { createFileCatchUp } from './file-catch-up.ts';
import type { FileState } from './file-state.ts';
import { createIndexThreads, type IndexThreads } from './index-threads.ts';
import { formatVersion } from './schema.ts';
import { removeAbandonedFolders, withScratchFolder } from './scratch-folder.ts';
import { withUsableFolder } from './unusable-index.ts';
import { createVectorExchange } from './vector-exchange.ts';

/** How often a search follows a file that another process replaces in the meantime. */
const maxFindAttempts = 20;

type Deps = {
  db: Database;
  dir: string;
  log: Logger;
  /** Name of the model whose vectors are indexed; `''` for none. */
  model: () => Promise<string>;
};

/**
 * One libSQL file for each tenant: FTS5 for words, exact comparison of vectors after a quick one by their binary codes.
 * The file follows Postgres: before a query it applies the changes that it lacks. A file that is missing, broken or of
 * another database is built again.
 *
 * @param deps.dir folder of the files; several processes may share it
 */
export function createEmbeddedIndex({ db, dir, log, model }: Deps): PassageIndex {
  const threads = createIndexThreads();
  const dirOf = (tenant: string) => join(resolve(dir), folderOf(tenant));
  /** The last known state of each tenant's file. It saves a read before the search; the search detects a stale one. */
  const knownStates = new Map<string, FileState>();
  const catchUpFile = createFileCatchUp({ db, log, threads, model });
  let isClosed = false;

  /** Builds a tenant's file again beside the one in use, and replaces that in one atomic step. */
  const rebuild = async (tenant: string): Promise<void> => {
    const tenantDir = dirOf(tenant);
    await removeUnfinished(tenantDir, tenant, log);
    const build = async (folder: string) => {
      await catchUpFile({ tenant, dir: folder });
      const complete = join(folder, 'whole.db');
      await threads.run({ dir: folder, do: 'copy', to: complete });
      await threads.run({ dir: tenantDir, do: 'adopt', from: complete });
      knownStates.delete(tenant);
    };
    await withUsableFolder(() => withScratchFolder(tenantDir, build));
  };

  const vectorExchange = createVectorExchange({
    threads,
    log,
    dirOf,
    rebuild,
    forgetState: (tenant) => void knownStates.delete(tenant),
    isClosed: () => isClosed,
  });

  const catchUpTenant = coalesce(async (tenant: string) => {
    const known = knownStates.get(tenant);
    if (!known) await removeUnfinished(dirOf(tenant), tenant, log);
    knownStates.set(tenant, await catchUpFile({ tenant, dir: dirOf(tenant) }, known));
  });

  /** Applies every change made before the call. @returns the state of the file; undefined when it was replaced since */
  const caughtUpState = async (tenant: string): Promise<FileState | undefined> => {
    await catchUpTenant(tenant);
    return knownStates.get(tenant);
  };

  return {
    name: `embedded-${formatVersion}`,

    async find({ tenant }: Scope, filter, { text, vector }, depth) {
      const query = { filter, text, vector, depth };
      for (let attempt = 0; attempt < maxFindAttempts; attempt++) {
        const minimum = await caughtUpState(tenant);
        const wanted = await model();
        if (minimum && wanted !== '' && minimum.model !== wanted) vectorExchange.start(tenant, wanted);
        const candidates =
          minimum && (await threads.run({ dir: dirOf(tenant), do: 'find', minimum, model: wanted, query }));
        if (candidates) return candidates;
        knownStates.delete(tenant);
      }
      throw replacedTooOften(dirOf(tenant));
    },

    async state(tenant) {
      const { applied } = await threads.run({ dir: dirOf(tenant), do: 'state' });
      return {
        ...(await threads.run({ dir: dirOf(tenant), do: 'counts' })),
        behind: await countChangesAfter(db, tenant, applied),
      };
    },

    async size() {
      const positions = [...knownStates].map(([tenant, { applied }]) => ({ tenant, applied }));
      if (positions.length === 0) return undefined;
      const total = await totalCounts(
        threads,
        positions.map(({ tenant }) => dirOf(tenant)),
      );
      return { ...total, behindSince: await oldestUnappliedChange(db, positions) };
    },

    operations: {
      parts: (tenants) => tenants,
      rebuild,
      verify: (tenant) =>
        compareWithPostgres(db, tenant, async () => {
          await caughtUpState(tenant);
          return readContent(threads, dirOf(tenant), model);
        }),
      async snapshot(tenant, file) {
        await caughtUpState(tenant);
        await threads.run({ dir: dirOf(tenant), do: 'copy', to: resolve(file) });
      },
      restore: (tenant, file) => threads.run({ dir: dirOf(tenant), do: 'adopt', from: resolve(file) }),
    },

    async close() {
      isClosed = true;
      await threads.close();
      await vectorExchange.ended();
    },
  };
}

const replacedTooOften = (dir: string) =>
  new AlfredError(
    'internal',
    `The search index in ${dir} was replaced ${maxFindAttempts} times while it was searched. Another process may use the same folder with another database: give each database an ALFRED_DATA_DIR of its own.`,
  );

/** An unfinished index takes as much disk space as one in use. */
async function removeUnfinished(dir: string, tenant: string, log: Logger): Promise<void> {
  const folders = await withUsableFolder(() => removeAbandonedFolders(dir));
  if (folders > 0) log.warn({ tenant, folders }, 'search indexes that were never finished were removed');
}

async function readContent(threads: IndexThreads, dir: string, model: () => Promise<string>) {
  const ids = await threads.run({ dir, do: 'ids' });
  const wanted = await model();
  // Vectors of another model do not count as vectors.
  const isWanted = (await threads.run({ dir, do: 'state' })).model === wanted;
  return { chunks: new Map(ids.map(({ chunkId, hasVector }) => [chunkId, hasVector && isWanted])), model: wanted };
}

async function totalCounts(threads: IndexThreads, dirs: string[]) {
  const total = { passages: 0, vectors: 0, bytes: 0 };
  for (const dir of dirs) {
    const counts = await threads.run({ dir, do: 'counts' });
    total.passages += counts.passages;
    total.vectors += counts.vectors;
    total.bytes += counts.bytes;
  }
  return total;
}

/** A tenant's name may contain characters that a file name may not: the folder's name has a hash of it too. */
const folderOf = (tenant: string) =>
  `${tenant.replace(/[^\w-]/g, '_').slice(0, 40)}-${createHash('sha256').update(tenant).digest('hex').slice(0, 8)}`;
