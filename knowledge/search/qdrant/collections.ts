import { randomBytes } from 'node:crypto';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { isSameKind, type Collection } from './collection.ts';
import { createCollectionNames } from './collection-names.ts';
import { createCollectionStore, type WantedCollection } from './collection-store.ts';
import { withAdvisoryLock } from './with-advisory-lock.ts';
import { isLeased, withLease } from './with-lease.ts';
import type { Server } from './server.ts';

type Deps = { server: Server; db: Database; alias: string; log: Logger };

/**
 * The collections behind one alias: the one that serves, and sometimes newer ones that are being built. Changes are
 * made under an advisory lock of Postgres.
 */
export function createCollections({ server, db, alias, log }: Deps) {
  const names = createCollectionNames(alias);
  const store = createCollectionStore({ server, alias, log });
  const lock = `qdrant ${alias}`;
  const leaseOf = (key: string | undefined) => `${lock} ${key}`;

  /**
   * The newest collection of the wanted kind that serves or is newer than the serving one; created when there is none.
   */
  const begin = (wanted: WantedCollection): Promise<Collection> =>
    withAdvisoryLock(db, lock, async (trx, confirmLock) => {
      const existing = (await store.list()).sort((a, b) => names.numberOf(b) - names.numberOf(a));
      const serving = await store.servingName();
      const isEligible = (name: string) =>
        name === serving ||
        (!names.isPrivate(name) && (serving === undefined || names.numberOf(name) > names.numberOf(serving)));
      const eligible = await Promise.all(existing.filter(isEligible).map(store.read));
      await confirmLock();
      const collection =
        eligible.find((candidate) => candidate && isSameKind(candidate.kind, wanted.kind)) ??
        (await store.create(trx, wanted, names.next(existing)));
      // Also for an existing one: the process that created it may have died before it created the indexes.
      await store.createIndexes(collection, confirmLock);
      return collection;
    });

  /** Makes a collection serve and removes older ones. Does nothing when a newer one serves already. */
  const serve = ({ name }: Collection): Promise<void> =>
    withAdvisoryLock(db, lock, async (trx, confirmLock) => {
      const serving = await store.servingName();
      if (serving !== undefined && names.numberOf(serving) > names.numberOf(name)) return;
      await store.pointAlias(name, serving);
      for (const old of await store.list()) {
        if (old === name || names.numberOf(old) > names.numberOf(name)) continue;
        await confirmLock();
        const isRemovable = names.isPrivate(old)
          ? !(await isLeased(trx, leaseOf(names.keyOf(old))))
          : (await store.read(old)) !== undefined;
        if (isRemovable) await store.remove(old);
      }
      if (serving !== name)
        log.info({ collection: name, before: serving }, 'a collection in Qdrant serves from now on');
    });

  /** Removes private collections of processes that died. */
  const removeAbandoned = async (): Promise<void> => {
    if (!(await store.list()).some(names.isPrivate)) return;
    await withAdvisoryLock(db, lock, async (trx, confirmLock) => {
      const serving = await store.servingName();
      const idle = (await store.list()).filter((name) => names.isPrivate(name) && name !== serving);
      for (const name of idle) {
        await confirmLock();
        if (await isLeased(trx, leaseOf(names.keyOf(name)))) continue;
        await store.remove(name);
        log.warn({ collection: name }, 'a collection that was never finished was removed from Qdrant');
      }
    });
  };

  /**
   * Runs `work` with the name for a new private collection. Unless the collection serves afterwards it is removed; when
   * this process dies, another one removes it.
   *
   * @param work its signal aborts when other processes may take the collection for abandoned
   */
  const withPrivateName = async (work: (name: string, signal: AbortSignal) => Promise<void>): Promise<void> => {
    await removeAbandoned();
    const key = `x${randomBytes(4).toString('hex')}`;
    await withLease(db, leaseOf(key), async (signal) => {
      const name = names.next(await store.list(), key);
      const removeUnlessServing = async () => {
        if ((await store.servingName()) !== name) await store.remove(name);
      };
      try {
        await work(name, signal);
      } finally {
        await removeUnlessServing().catch((error: unknown) => {
          log.warn({ err: error, collection: name }, 'a collection in Qdrant is left for the next process to remove');
        });
      }
    });
  };

  return {
    serving: store.serving,
    read: store.read,
    begin,
    /** Creates a collection under a name from `withPrivateName`. */
    create: (wanted: WantedCollection, name: string): Promise<Collection> => store.create(db, wanted, name),
    createIndexes: store.createIndexes,
    serve,
    withPrivateName,
    removeAbandoned,
  };
}
export type Collections = ReturnType<typeof createCollections>;
