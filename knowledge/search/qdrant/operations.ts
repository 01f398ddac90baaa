import { AlfredError } from '../../../contract/errors.ts';
import { linkAbort } from '../../../runtime/link-abort.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { compareWithPostgres } from '../compare-with-postgres.ts';
import type { IndexOperations } from '../passage-index.ts';
import type { CatchUp } from './catch-up.ts';
import type { Collection } from './collection.ts';
import type { Collections } from './collections.ts';
import { tenantsWithChanges } from './corpus.ts';
import { readIndexedChunks } from './read-indexed-chunks.ts';
import { CollectionNotFound, type Server } from './server.ts';
import type { ServingCollection } from './serving-collection.ts';
import { createSnapshots, type RestoredCollection } from './snapshots.ts';

/** One collection contains all tenants, and can only be replaced as a whole. */
const allTenants = 'all tenants';

type Deps = {
  server: Server;
  db: Database;
  log: Logger;
  alias: string;
  collections: Collections;
  catchUp: CatchUp;
  serving: ServingCollection;
  /**
   * Runs `work` on the serving collection, caught up for the tenant; again when the collection is replaced meanwhile.
   */
  withServing: <T>(tenant: string, work: (collection: Collection) => Promise<T>) => Promise<T>;
};

export function createOperations(deps: Deps): IndexOperations {
  const { server, db, log, collections, catchUp, serving, withServing } = deps;
  const snapshots = createSnapshots(deps);

  /** Makes a collection beside the serving one, catches it up for all tenants, and makes it serve. */
  const replace = (make: (name: string, signal: AbortSignal) => Promise<RestoredCollection>) =>
    collections
      .withPrivateName(async (name, leaseLost) => {
        const { signal, release } = linkAbort([leaseLost, serving.signal]);
        try {
          const { collection, tenants } = await make(name, signal);
          for (const tenant of new Set([...tenants, ...(await tenantsWithChanges(db))]))
            await catchUp.run({ collection, tenant }, signal);
          signal.throwIfAborted();
          await collections.serve(collection);
          serving.forget();
        } finally {
          release();
        }
      })
      .catch(rethrowCollectionNotFound);

  const withoutLock = async () => {};

  return {
    parts: () => [allTenants],
    verify: (tenant) =>
      compareWithPostgres(db, tenant, () =>
        withServing(tenant, async (collection) => ({
          chunks: await readIndexedChunks(server, collection, tenant),
          model: collection.kind.model,
        })),
      ),
    rebuild: () =>
      replace(async (name) => {
        const collection = await collections.create(await serving.wanted(), name);
        await collections.createIndexes(collection, withoutLock);
        return { collection, tenants: [] };
      }),
    async snapshot(_, file) {
      const tenants = await tenantsWithChanges(db);
      const collection = await serving.current(tenants[0] ?? '');
      try {
        for (const tenant of tenants) await catchUp.run({ collection, tenant }, serving.signal);
        await snapshots.save({ collection, tenants, file }, serving.signal);
      } catch (error) {
        serving.forget();
        rethrowCollectionNotFound(error);
      }
      log.info({ collection: collection.name }, 'a snapshot of the search index was saved');
    },
    restore: (_, file) =>
      replace(async (name, signal) => {
        const restored = await snapshots.restore(file, name, signal);
        await collections.createIndexes(restored.collection, withoutLock);
        return restored;
      }),
  };
}

/** @throws AlfredError `index_unavailable` for a missing collection, and any other error as it is */
function rethrowCollectionNotFound(error: unknown): never {
  if (!(error instanceof CollectionNotFound)) throw error;
  const message = 'The collection in Qdrant was removed meanwhile, by a rebuild or by hand: do it again.';
  throw new AlfredError('index_unavailable', message, { cause: error });
}
