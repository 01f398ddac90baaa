import { AlfredError } from '../../../../contract/errors.ts';
import type { Logger } from '../../../../runtime/logger.ts';
import type { Database } from '../../../../runtime/postgres.ts';
import { collectionOf, creationOf, isSameKind, payloadIndexes, type Collection, type Kind } from './collection.ts';
import { averageLengthIn } from './corpus.ts';
import { held } from './held.ts';
import { Gone, type Server } from './server.ts';

/** @property dimensions of the vectors of its model; undefined when there is none */
export type Wanted = { kind: Kind; dimensions: number | undefined };

type Deps = { server: Server; db: Database; alias: string; log: Logger };

/**
 * The collections behind one alias, `<alias>-<n>`: the one that serves, and at times a newer one that is being built. Every
 * process may build; they find each other's by its kind.
 */
export function createCollections({ server, db, alias, log }: Deps) {
  const numberOf = (name: string) => Number(name.slice(alias.length + 1));
  const lock = `qdrant ${alias}`;

  const ours = async (): Promise<string[]> => {
    const { collections } = await server.ask((client) => client.getCollections());
    const names = collections.map(({ name }) => name);
    if (names.includes(alias))
      throw new AlfredError(
        'internal',
        `Qdrant has a collection named ${alias}, where Alfred needs an alias: set ALFRED_QDRANT_COLLECTION to another name.`,
      );
    const pattern = /^-\d+$/;
    return names.filter((name) => name.startsWith(alias) && pattern.test(name.slice(alias.length)));
  };

  /** @returns undefined when it is there no more, or none of ours */
  const read = async (name: string): Promise<Collection | undefined> => {
    try {
      return collectionOf(name, await server.ask((client) => client.getCollection(name)));
    } catch (error) {
      if (error instanceof Gone) return undefined;
      throw error;
    }
  };

  const servingName = async (): Promise<string | undefined> => {
    const { aliases } = await server.ask((client) => client.getAliases());
    return aliases.find(({ alias_name }) => alias_name === alias)?.collection_name;
  };

  const create = async (tx: Database, { kind, dimensions }: Wanted, name: string): Promise<Collection> => {
    const made = { kind, averageLength: await averageLengthIn(tx), dimensions };
    await server.ask((client) => client.createCollection(name, creationOf(made)));
    log.info({ collection: name, model: kind.model }, 'a collection was created in Qdrant');
    return { name, kind, averageLength: made.averageLength };
  };

  /** The newest collection of a kind, the one that serves or newer; made when there is none. */
  const begin = (wanted: Wanted): Promise<Collection> =>
    held(db, lock, async (tx, stillHeld) => {
      const names = (await ours()).sort((a, b) => numberOf(b) - numberOf(a));
      const serving = await servingName();
      const fit = names.filter((name) => serving === undefined || numberOf(name) >= numberOf(serving));
      const known = await Promise.all(fit.map(read));
      await stillHeld();
      const name = `${alias}-${numberOf(names[0] ?? `${alias}-0`) + 1}`;
      const found = known.find((one) => one && isSameKind(one.kind, wanted.kind)) ?? (await create(tx, wanted, name));
      // Also of one that was found: whoever began it may have gone no further.
      for (const [field, schema] of payloadIndexes) {
        await stillHeld();
        const index = { field_name: field, field_schema: schema, wait: true };
        await server.ask((client) => client.createPayloadIndex(found.name, index));
      }
      return found;
    });

  /** Has a collection serve, in one request, and removes older ones. Does nothing when a newer one serves already. */
  const serve = ({ name }: Collection): Promise<void> =>
    held(db, lock, async (_, stillHeld) => {
      const serving = await servingName();
      if (serving !== undefined && numberOf(serving) > numberOf(name)) return;
      const actions = [
        ...(serving === undefined ? [] : [{ delete_alias: { alias_name: alias } }]),
        { create_alias: { alias_name: alias, collection_name: name } },
      ];
      await server.ask((client) => client.updateCollectionAliases({ actions }));
      for (const old of (await ours()).filter((one) => numberOf(one) < numberOf(name))) {
        await stillHeld();
        if (await read(old)) await server.ask((client) => client.deleteCollection(old));
      }
      if (serving !== name)
        log.info({ collection: name, before: serving }, 'a collection in Qdrant serves from now on');
    });

  return {
    /** @throws AlfredError `internal` when the alias is somebody else's */
    async serving(): Promise<Collection | undefined> {
      const name = await servingName();
      if (name === undefined) return undefined;
      const info = await server.ask((client) => client.getCollection(name));
      const collection = collectionOf(name, info);
      if (collection) return collection;
      throw new AlfredError(
        'internal',
        `The alias ${alias} in Qdrant stands for ${name}, which Alfred did not make: set ALFRED_QDRANT_COLLECTION to another name.`,
      );
    },
    begin,
    serve,
  };
}
export type Collections = ReturnType<typeof createCollections>;
