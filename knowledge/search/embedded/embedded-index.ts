import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Scope } from '../../../contract/references.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import {
  oldestUnappliedChange,
  countChangesAfter,
  isSameHistory,
  readChanges,
  readChangeLogHead,
} from '../change-log.ts';
import { compareWithPostgres } from '../compare-with-postgres.ts';
import type { PassageIndex } from '../passage-index.ts';
import { createShared } from '../shared.ts';
import { matchTerms } from '../../../contract/rules/terms.ts';
import type { Standing } from './apply-changes.ts';
import { withScratchFolder, removeAbandonedFolders } from './scratch-folder.ts';
import { createIndexThreads } from './index-threads.ts';
import { format } from './schema.ts';

type Deps = {
  db: Database;
  dir: string;
  log: Logger;
  /** Name of the model whose vectors are taken; `''` for none. */
  model: () => Promise<string>;
};

/** How soon a process exchanges a tenant's vectors for the same model's once more, and after an attempt that failed. */
const exchangeAgainMs = { done: 600_000, failed: 60_000 };

/**
 * A libSQL file a tenant: full text by FTS5, vectors by an exact comparison after a quick look at all. It follows Postgres:
 * before a query it takes over the changes it has not seen. An absent, broken or foreign file is built anew.
 *
 * @param deps.dir folder of the files; several processes may share it
 */
export function createEmbeddedIndex({ db, dir, log, model }: Deps): PassageIndex {
  const threads = createIndexThreads();
  const dirOf = (tenant: string) => join(resolve(dir), folderOf(tenant));
  const caughtUp = new Map<string, () => Promise<void>>();
  /** Where files were seen to be, so that a search need not ask before it searches; it finds out when that is no more. */
  const seen = new Map<string, Standing>();
  /** Tenants whose file is built anew for another model. */
  const building = new Map<string, Promise<void>>();
  /** Tenants whose vectors this process has exchanged lately, and for which model's. */
  const exchanged = new LRUCache<string, string>({ max: 10_000, ttl: exchangeAgainMs.done });
  let isClosed = false;

  /** Takes over every change that was made before the call. @returns where the file is then */
  const catchUp = async (tenant: string, dir: string, from?: Standing): Promise<Standing> => {
    const file = { dir };
    let target: number | undefined;
    let known = from;
    for (;;) {
      const position = known ?? (await threads.run({ ...file, do: 'position' }));
      const standing = await readChangeLogHead(db, tenant, position.applied);
      const isOther = !isSameHistory(position, standing);
      target ??= isOther ? undefined : standing.newest;
      if (!isOther && target !== undefined && position.applied >= target) return position;
      if (known) {
        // The file itself may be further, by another process.
        known = undefined;
        continue;
      }
      if (isOther) {
        if (position.source !== '')
          log.warn(
            { tenant, applied: position.applied, newest: standing.newest },
            'the search index follows another database and is built anew',
          );
        await threads.run({ ...file, do: 'anew', from: position, source: standing.source, model: await model() });
        continue;
      }
      const changes = await readChanges(db, { tenant, applied: position.applied, model: position.model });
      if (!changes) return position;
      const to = { source: position.source, applied: changes.seq, anchor: changes.at };
      await threads.run({ ...file, do: 'apply', from: position, changes: { ...changes, to, model: position.model } });
    }
  };

  /** An index that was never finished takes as much space as one that serves. */
  const tidy = async (tenant: string): Promise<void> => {
    const folders = await removeAbandonedFolders(dirOf(tenant));
    if (folders > 0) log.warn({ tenant, folders }, 'search indexes that were never finished were removed');
  };

  /** Builds a tenant's file anew beside the one that serves, and puts it in its place in one step. */
  const rebuild = async (tenant: string): Promise<void> => {
    const dir = dirOf(tenant);
    await tidy(tenant);
    await withScratchFolder(dir, async (folder) => {
      await catchUp(tenant, folder);
      const whole = join(folder, 'whole.db');
      await threads.run({ dir: folder, do: 'copy', to: whole });
      await threads.run({ dir, do: 'adopt', from: whole });
      seen.delete(tenant);
    });
  };

  /**
   * Another model's vectors are exchanged in a file beside the one that serves, in which words are searched meanwhile. Without
   * a model the vectors of the last one stay: it may only be missing for a while.
   */
  const exchangeVectors = (tenant: string, wanted: string) => {
    // Where they are others again, another process is set up otherwise: the two must not take turns without end.
    if (building.has(tenant) || exchanged.get(tenant) === wanted) return;
    const exchange = async () => {
      const { model: held } = await threads.run({ dir: dirOf(tenant), do: 'position' });
      if (held === wanted) return void seen.delete(tenant);
      log.info({ tenant, before: held, model: wanted }, 'the search index is built anew with another model’s vectors');
      await rebuild(tenant);
      exchanged.set(tenant, wanted);
    };
    const built = exchange()
      .catch((error: unknown) => {
        // It reads all that a tenant has, and what is amiss (a full disk) stays so for a while.
        exchanged.set(tenant, wanted, { ttl: exchangeAgainMs.failed });
        if (!isClosed)
          log.warn(
            { err: error, tenant },
            'the search index could not be built anew; a search in a minute begins again',
          );
      })
      .finally(() => building.delete(tenant));
    building.set(tenant, built);
  };

  const caught = async (tenant: string) => {
    const shared =
      caughtUp.get(tenant) ??
      createShared(async () => {
        if (!seen.has(tenant)) await tidy(tenant);
        seen.set(tenant, await catchUp(tenant, dirOf(tenant), seen.get(tenant)));
      });
    caughtUp.set(tenant, shared);
    await shared();
    return seen.get(tenant);
  };

  return {
    name: `embedded-${format}`,
    async find({ tenant }: Scope, filter, { text, vector }, depth) {
      const query = { filter, terms: matchTerms(text), vector, depth };
      for (;;) {
        const [least, wanted] = [await caught(tenant), await model()];
        if (least && wanted !== '' && least.model !== wanted) exchangeVectors(tenant, wanted);
        const found = least && (await threads.run({ dir: dirOf(tenant), do: 'find', least, model: wanted, query }));
        if (found) return found;
        seen.delete(tenant);
      }
    },
    async state(tenant) {
      const file = { dir: dirOf(tenant) };
      const { applied } = await threads.run({ ...file, do: 'position' });
      const counts = await threads.run({ ...file, do: 'counts' });
      return { ...counts, behind: await countChangesAfter(db, tenant, applied) };
    },
    async size() {
      const tenants = [...seen].map(([tenant, { applied }]) => ({ tenant, applied }));
      if (tenants.length === 0) return undefined;
      const size = { passages: 0, vectors: 0, bytes: 0 };
      for (const { tenant } of tenants) {
        const counts = await threads.run({ dir: dirOf(tenant), do: 'counts' });
        size.passages += counts.passages;
        size.vectors += counts.vectors;
        size.bytes += counts.bytes;
      }
      return { ...size, behindSince: await oldestUnappliedChange(db, tenants) };
    },
    operations: {
      parts: (tenants) => tenants,
      rebuild,
      verify: (tenant) =>
        compareWithPostgres(db, tenant, async () => {
          await caught(tenant);
          const file = { dir: dirOf(tenant) };
          const [ids, wanted] = [await threads.run({ ...file, do: 'ids' }), await model()];
          // Vectors of another model are none of those that are wanted.
          const isWanted = (await threads.run({ ...file, do: 'position' })).model === wanted;
          return {
            held: new Map(ids.map(({ chunkId, hasVector }) => [chunkId, hasVector && isWanted])),
            model: wanted,
          };
        }),
      async snapshot(tenant, file) {
        await caught(tenant);
        await threads.run({ dir: dirOf(tenant), do: 'copy', to: resolve(file) });
      },
      restore: (tenant, file) => threads.run({ dir: dirOf(tenant), do: 'adopt', from: resolve(file) }),
    },
    close: async () => {
      isClosed = true;
      await threads.close();
      await Promise.all(building.values());
    },
  };
}

/** A tenant's name may hold what a file's may not. */
const folderOf = (tenant: string) =>
  `${tenant.replace(/[^\w-]/g, '_').slice(0, 40)}-${createHash('sha256').update(tenant).digest('hex').slice(0, 8)}`;
