import { AlfredError } from '../../../contract/errors.ts';
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
import { createSnapshots } from './snapshots.ts';

/** One collection holds all tenants, and can only be replaced as a whole. */
const everybody = 'all tenants';

type Deps = {
  server: Server;
  db: Database;
  log: Logger;
  alias: string;
  collections: Collections;
  catchUp: CatchUp;
  serving: ServingCollection;
  /** Works on the collection that serves, caught up for the tenant; again when another one takes its place meanwhile. */
  withServing: <T>(tenant: string, work: (collection: Collection) => Promise<T>) => Promise<T>;
};

export function createOperations(deps: Deps): IndexOperations {
  const { server, db, log, collections, catchUp, serving, withServing } = deps;
  const snapshots = createSnapshots(deps);

  /** Makes a collection beside the one that serves, fills it up and has it serve. */
  const replace = (make: (name: string, signal: AbortSignal) => Promise<{ made: Collection; tenants: string[] }>) =>
    collections
      .beside(async (name, lost) => {
        const signal = AbortSignal.any([lost, serving.signal]);
        const { made, tenants } = await make(name, signal);
        for (const tenant of new Set([...tenants, ...(await tenantsWithChanges(db))]))
          await catchUp.caughtUp({ collection: made, tenant }, signal);
        signal.throwIfAborted();
        await collections.serve(made);
        serving.forget();
      })
      .catch(goneMeanwhile);

  return {
    parts: () => [everybody],
    verify: (tenant) =>
      compareWithPostgres(db, tenant, () =>
        withServing(tenant, async (collection) => ({
          held: await readIndexedChunks(server, collection, tenant),
          model: collection.kind.model,
        })),
      ),
    rebuild: () =>
      replace(async (name) => {
        const made = await collections.create(await serving.wanted(), name);
        await collections.indexed(made, async () => {});
        return { made, tenants: [] };
      }),
    async snapshot(_, file) {
      const tenants = await tenantsWithChanges(db);
      const collection = await serving.collection(tenants[0] ?? '');
      try {
        for (const tenant of tenants) await catchUp.caughtUp({ collection, tenant }, serving.signal);
        await snapshots.save(collection, tenants, file, serving.signal);
      } catch (error) {
        serving.forget();
        goneMeanwhile(error);
      }
      log.info({ collection: collection.name }, 'a snapshot of the search index was saved');
    },
    restore: (_, file) =>
      replace(async (name, signal) => {
        const { made, tenants } = await snapshots.put(file, name, signal);
        await collections.indexed(made, async () => {});
        return { made, tenants };
      }),
  };
}

function goneMeanwhile(error: unknown): never {
  if (!(error instanceof CollectionNotFound)) throw error;
  const message = 'The collection in Qdrant was removed meanwhile, by a rebuild or by hand: do it again.';
  throw new AlfredError('index_unavailable', message, { cause: error });
}
