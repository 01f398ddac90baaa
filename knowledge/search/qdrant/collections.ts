import { randomBytes } from 'node:crypto';
import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import {
  collectionFromInfo,
  creationRequest,
  isSameKind,
  payloadIndexes,
  type Collection,
  type CollectionKind,
} from './collection.ts';
import { averageLengthIn } from './corpus.ts';
import { withAdvisoryLock } from './with-advisory-lock.ts';
import { isLeased, withLease } from './with-lease.ts';
import { CollectionNotFound, type Server } from './server.ts';

/** @property dimensions of the vectors of its model; undefined when there is none */
export type WantedCollection = { kind: CollectionKind; dimensions: number | undefined };

type Deps = { server: Server; db: Database; alias: string; log: Logger };

/**
 * The collections behind one alias: the one that serves, and at times newer ones that are being built. `<alias>-<n>` every
 * process may build; they find each other's by its kind. `<alias>-<n>-<key>` is one process's own until it serves, and goes
 * with it.
 */
export function createCollections({ server, db, alias, log }: Deps) {
  const partsOf = (name: string) => name.slice(alias.length + 1).split('-');
  const numberOf = (name: string) => Number(partsOf(name)[0]);
  const isOwn = (name: string) => partsOf(name).length > 1;
  const lock = `qdrant ${alias}`;
  const leaseOf = (key: string | undefined) => `${lock} ${key}`;

  const ours = async (): Promise<string[]> => {
    const { collections } = await server.ask((client) => client.getCollections());
    const names = collections.map(({ name }) => name);
    if (names.includes(alias))
      throw new AlfredError(
        'internal',
        `Qdrant has a collection named ${alias}, where Alfred needs an alias: set ALFRED_QDRANT_COLLECTION to another name.`,
      );
    const pattern = /^-\d+(-x[0-9a-f]{8})?$/;
    return names.filter((name) => name.startsWith(alias) && pattern.test(name.slice(alias.length)));
  };

  /** @returns undefined when it is there no more, or none of ours */
  const read = async (name: string): Promise<Collection | undefined> => {
    try {
      return collectionFromInfo(name, await server.ask((client) => client.getCollection(name)));
    } catch (error) {
      if (error instanceof CollectionNotFound) return undefined;
      throw error;
    }
  };

  const servingName = async (): Promise<string | undefined> => {
    const { aliases } = await server.ask((client) => client.getAliases());
    return aliases.find(({ alias_name }) => alias_name === alias)?.collection_name;
  };

  const create = async (tx: Database, { kind, dimensions }: WantedCollection, name: string): Promise<Collection> => {
    const made = { kind, averageLength: await averageLengthIn(tx), dimensions };
    await server.ask((client) => client.createCollection(name, creationRequest(made)));
    log.info({ collection: name, model: kind.model }, 'a collection was created in Qdrant');
    return { name, ...made };
  };

  const nextOf = (names: string[]) => Math.max(0, ...names.map(numberOf)) + 1;

  /** Whatever is filtered by has an index; one that is there stays. */
  const indexed = async ({ name }: Collection, beforeEach: () => Promise<void>): Promise<void> => {
    for (const [field, schema] of payloadIndexes) {
      await beforeEach();
      const index = { field_name: field, field_schema: schema, wait: true };
      await server.ask((client) => client.createPayloadIndex(name, index));
    }
  };

  /** The newest collection of a kind, the one that serves or newer; made when there is none. */
  const begin = (wanted: WantedCollection): Promise<Collection> =>
    withAdvisoryLock(db, lock, async (tx, stillHeld) => {
      const names = (await ours()).sort((a, b) => numberOf(b) - numberOf(a));
      const serving = await servingName();
      const fit = names.filter(
        (name) => name === serving || (!isOwn(name) && (serving === undefined || numberOf(name) > numberOf(serving))),
      );
      const known = await Promise.all(fit.map(read));
      await stillHeld();
      const name = `${alias}-${nextOf(names)}`;
      const found = known.find((one) => one && isSameKind(one.kind, wanted.kind)) ?? (await create(tx, wanted, name));
      // Also of one that was found: whoever began it may have gone no further.
      await indexed(found, stillHeld);
      return found;
    });

  /** Has a collection serve, in one request, and removes older ones. Does nothing when a newer one serves already. */
  const serve = ({ name }: Collection): Promise<void> =>
    withAdvisoryLock(db, lock, async (tx, stillHeld) => {
      const serving = await servingName();
      if (serving !== undefined && numberOf(serving) > numberOf(name)) return;
      const actions = [
        ...(serving === undefined ? [] : [{ delete_alias: { alias_name: alias } }]),
        { create_alias: { alias_name: alias, collection_name: name } },
      ];
      await server.ask((client) => client.updateCollectionAliases({ actions }));
      for (const old of await ours()) {
        if (old === name || numberOf(old) > numberOf(name)) continue;
        await stillHeld();
        if (isOwn(old) ? !(await isLeased(tx, leaseOf(partsOf(old)[1]))) : await read(old))
          await server.ask((client) => client.deleteCollection(old));
      }
      if (serving !== name)
        log.info({ collection: name, before: serving }, 'a collection in Qdrant serves from now on');
    });

  /** What a process made for itself and left when it died. */
  const removeAbandoned = async (): Promise<void> => {
    if (!(await ours()).some(isOwn)) return;
    await withAdvisoryLock(db, lock, async (tx, stillHeld) => {
      const serving = await servingName();
      for (const name of (await ours()).filter((one) => isOwn(one) && one !== serving)) {
        await stillHeld();
        if (await isLeased(tx, leaseOf(partsOf(name)[1]))) continue;
        await server.ask((client) => client.deleteCollection(name));
        log.warn({ collection: name }, 'a collection that was never finished was removed from Qdrant');
      }
    });
  };

  const removeUnlessServing = async (name: string): Promise<void> => {
    if ((await servingName()) !== name) await server.ask((client) => client.deleteCollection(name));
  };

  /**
   * Gives a name to a new collection that is nobody else's. Unless it serves when the work is over it is removed, by others
   * where this process dies.
   *
   * @param work its signal says that others may take the collection for abandoned
   */
  const beside = async (work: (name: string, signal: AbortSignal) => Promise<void>): Promise<void> => {
    await removeAbandoned();
    const key = `x${randomBytes(4).toString('hex')}`;
    await withLease(db, leaseOf(key), async (signal) => {
      const name = `${alias}-${nextOf(await ours())}-${key}`;
      try {
        await work(name, signal);
      } finally {
        await removeUnlessServing(name).catch((error: unknown) => {
          log.warn({ err: error, collection: name }, 'a collection in Qdrant is left for the next process to remove');
        });
      }
    });
  };

  return {
    /** @throws AlfredError `internal` when the alias is somebody else's */
    async serving(): Promise<Collection | undefined> {
      const name = await servingName();
      if (name === undefined) return undefined;
      const info = await server.ask((client) => client.getCollection(name));
      const collection = collectionFromInfo(name, info);
      if (collection) return collection;
      throw new AlfredError(
        'internal',
        `The alias ${alias} in Qdrant stands for ${name}, which Alfred did not make: set ALFRED_QDRANT_COLLECTION to another name.`,
      );
    },
    read,
    begin,
    /** A new collection under a name that `beside` gave. */
    create: (wanted: WantedCollection, name: string): Promise<Collection> => create(db, wanted, name),
    /** @param beforeEach called before each request */
    indexed,
    serve,
    beside,
    removeAbandoned,
  };
}
export type Collections = ReturnType<typeof createCollections>;
