import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import {
  collectionFromInfo,
  creationRequest,
  payloadIndexes,
  type Collection,
  type CollectionKind,
} from './collection.ts';
import { createCollectionNames } from './collection-names.ts';
import { averageLengthIn } from './corpus.ts';
import { CollectionNotFound, type Server } from './server.ts';

/** @property dimensions of the vectors of its model; undefined when there are none */
export type WantedCollection = { kind: CollectionKind; dimensions: number | undefined };

type Deps = { server: Server; alias: string; log: Logger };

/** Requests about the collections behind one alias, without locks. */
export function createCollectionStore({ server, alias, log }: Deps) {
  const names = createCollectionNames(alias);

  /** The name of the collection that the alias stands for. */
  const servingName = async (): Promise<string | undefined> => {
    const { aliases } = await server.call((client) => client.getAliases());
    return aliases.find(({ alias_name }) => alias_name === alias)?.collection_name;
  };

  return {
    servingName,

    /**
     * The collection that the alias stands for.
     *
     * @throws AlfredError `internal` when Alfred did not make it
     */
    serving: async (): Promise<Collection | undefined> => {
      const name = await servingName();
      if (name === undefined) return undefined;
      const collection = collectionFromInfo(name, await server.call((client) => client.getCollection(name)));
      if (collection) return collection;
      throw new AlfredError(
        'internal',
        `The alias ${alias} in Qdrant stands for ${name}, which Alfred did not make: set ALFRED_QDRANT_COLLECTION to another name.`,
      );
    },

    /** The names of the collections that belong to the alias. */
    async list(): Promise<string[]> {
      const { collections } = await server.call((client) => client.getCollections());
      const all = collections.map(({ name }) => name);
      if (all.includes(alias))
        throw new AlfredError(
          'internal',
          `Qdrant has a collection named ${alias}, where Alfred needs an alias: set ALFRED_QDRANT_COLLECTION to another name.`,
        );
      return all.filter(names.isOurs);
    },

    /** @returns undefined when the collection is gone, or Alfred did not make it */
    read: async (name: string): Promise<Collection | undefined> => {
      try {
        return collectionFromInfo(name, await server.call((client) => client.getCollection(name)));
      } catch (error) {
        if (error instanceof CollectionNotFound) return undefined;
        throw error;
      }
    },

    async create(db: Database, { kind, dimensions }: WantedCollection, name: string): Promise<Collection> {
      const properties = { kind, averageLength: await averageLengthIn(db), dimensions };
      await server.call((client) => client.createCollection(name, creationRequest(properties)));
      log.info({ collection: name, model: kind.model }, 'a collection was created in Qdrant');
      return { name, ...properties };
    },

    /**
     * Creates the indexes of the payload that queries filter by. Idempotent: existing indexes stay.
     *
     * @param beforeEach called before each request
     */
    createIndexes: async ({ name }: Collection, beforeEach: () => Promise<void>): Promise<void> => {
      for (const [field, schema] of payloadIndexes) {
        await beforeEach();
        const index = { field_name: field, field_schema: schema, wait: true };
        await server.call((client) => client.createPayloadIndex(name, index));
      }
    },

    /** Points the alias to a collection, in one atomic request. */
    async pointAlias(name: string, serving: string | undefined): Promise<void> {
      const actions = [
        ...(serving === undefined ? [] : [{ delete_alias: { alias_name: alias } }]),
        { create_alias: { alias_name: alias, collection_name: name } },
      ];
      await server.call((client) => client.updateCollectionAliases({ actions }));
    },

    async remove(name: string): Promise<void> {
      await server.call((client) => client.deleteCollection(name));
    },
  };
}
