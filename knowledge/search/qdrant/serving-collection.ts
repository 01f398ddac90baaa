import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CatchUp } from './catch-up.ts';
import { format, isSameKind, kindKey, type Collection, type CollectionSettings } from './collection.ts';
import type { Collections, WantedCollection } from './collections.ts';
import { dimensionsOf, tenantsWithChanges } from './corpus.ts';

type Deps = {
  db: Database;
  log: Logger;
  collections: Collections;
  catchUp: CatchUp;
  model: () => Promise<string>;
  settings: CollectionSettings;
};

/**
 * Knows which collection serves, and sees to it that it is one of the kind that is wanted. Another one is built beside it,
 * tenant by tenant, and takes its place when it is complete.
 */
export function createServingCollection({ db, log, collections, catchUp, model, settings }: Deps) {
  let known: Promise<Collection> | undefined;
  let building: Promise<void> | undefined;
  const ended = new AbortController();
  /** Kinds that served and were what this process wants. When another serves after that, somebody newer has come. */
  const had = new Set<string>();

  /** Without a model the vectors that are there stay; before it has made the first one, it is as if there were none. */
  const wantedFor = async (tenant: string, serving: Collection | undefined): Promise<WantedCollection> => {
    const before = serving?.kind.model ?? '';
    const name = (await model()) || before;
    const asNow = { format, model: before, settings };
    if (serving && name === before && isSameKind(serving.kind, asNow)) return { kind: asNow, dimensions: undefined };
    const dimensions = await dimensionsOf(db, tenant, name);
    // Another tenant's search may know how long the vectors are.
    if (serving && dimensions === undefined && before !== '') return { kind: serving.kind, dimensions };
    return { kind: { ...asNow, model: dimensions === undefined ? '' : name }, dimensions };
  };

  const build = async (wanted: WantedCollection) => {
    const collection = await collections.begin(wanted);
    for (const tenant of await tenantsWithChanges(db)) await catchUp.caughtUp({ collection, tenant }, ended.signal);
    await collections.serve(collection);
    known = undefined;
  };

  const buildBeside = (serving: Collection, wanted: WantedCollection) => {
    if (building || ended.signal.aborted || had.has(kindKey(wanted.kind))) return;
    log.info(
      { serving: serving.name, before: serving.kind, wanted: wanted.kind },
      'the search index is built anew in Qdrant',
    );
    building = build(wanted)
      .catch((error: unknown) => {
        if (!ended.signal.aborted)
          log.warn({ err: error }, 'the new search index is not complete; the next search goes on with it');
      })
      .finally(() => (building = undefined));
  };

  const settle = async (tenant: string): Promise<Collection> => {
    await collections.removeAbandoned();
    const serving = await collections.serving();
    if (serving) return serving;
    const made = await collections.begin(await wantedFor(tenant, undefined));
    await collections.serve(made);
    return made;
  };

  return {
    /** Aborts when the process ends, with `draining`. */
    signal: ended.signal,
    /** The collection that serves now. Where there is none it is made, and filled by whoever searches it. */
    async collection(tenant: string): Promise<Collection> {
      ended.signal.throwIfAborted();
      const settled = (known ??= settle(tenant));
      try {
        const serving = await settled;
        const wanted = await wantedFor(tenant, serving);
        if (isSameKind(serving.kind, wanted.kind)) had.add(kindKey(wanted.kind));
        else buildBeside(serving, wanted);
        return serving;
      } catch (error) {
        if (known === settled) known = undefined;
        throw error;
      }
    },
    /** What a collection that is made now is to be. */
    async wanted(): Promise<WantedCollection> {
      const before = (await collections.serving())?.kind.model ?? '';
      const tenants = await tenantsWithChanges(db);
      for (const name of [await model(), before])
        for (const tenant of tenants) {
          const dimensions = await dimensionsOf(db, tenant, name);
          if (dimensions !== undefined) return { kind: { format, model: name, settings }, dimensions };
        }
      return { kind: { format, model: '', settings }, dimensions: undefined };
    },
    forget() {
      known = undefined;
    },
    async close() {
      ended.abort(new AlfredError('draining'));
      await building;
    },
  };
}
export type ServingCollection = ReturnType<typeof createServingCollection>;
