import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CatchUp } from './catch-up.ts';
import { format, isSameKind, kindKey, type Collection, type CollectionSettings } from './collection.ts';
import type { WantedCollection } from './collection-store.ts';
import type { Collections } from './collections.ts';
import { dimensionsOf, tenantsWithChanges } from './corpus.ts';

type Wanting = { db: Database; model: () => Promise<string>; settings: CollectionSettings };
type Deps = Wanting & { log: Logger; collections: Collections; catchUp: CatchUp };

/**
 * Tracks which collection serves, and replaces it when another kind is wanted. The new collection is built beside the
 * serving one, tenant by tenant, and replaces it when it is complete.
 */
export function createServingCollection({ db, log, collections, catchUp, model, settings }: Deps) {
  let known: Promise<Collection> | undefined;
  let building: Promise<void> | undefined;
  const closing = new AbortController();
  /**
   * Wanted kinds that have served. When another kind serves later, a process with a newer configuration has replaced
   * the collection: this process must not replace it back.
   */
  const servedKinds = new Set<string>();

  const build = async (wanted: WantedCollection) => {
    const collection = await collections.begin(wanted);
    for (const tenant of await tenantsWithChanges(db)) await catchUp.run({ collection, tenant }, closing.signal);
    await collections.serve(collection);
    known = undefined;
  };

  const startReplacement = (serving: Collection, wanted: WantedCollection) => {
    if (building || closing.signal.aborted || servedKinds.has(kindKey(wanted.kind))) return;
    log.info(
      { serving: serving.name, before: serving.kind, wanted: wanted.kind },
      'the search index is built anew in Qdrant',
    );
    building = build(wanted)
      .catch((error: unknown) => {
        if (!closing.signal.aborted)
          log.warn({ err: error }, 'the new search index is not complete; the next search goes on with it');
      })
      .finally(() => {
        building = undefined;
      });
  };

  const findOrCreate = async (tenant: string): Promise<Collection> => {
    await collections.removeAbandoned();
    const serving = await collections.serving();
    if (serving) return serving;
    const created = await collections.begin(await wantedFor({ db, model, settings }, tenant, undefined));
    await collections.serve(created);
    return created;
  };

  return {
    /** Aborts with `draining` when the process ends. */
    signal: closing.signal,
    /**
     * The collection that serves now. A missing one is created empty; a search of a tenant fills it for that tenant.
     */
    async current(tenant: string): Promise<Collection> {
      closing.signal.throwIfAborted();
      known ??= findOrCreate(tenant);
      const pending = known;
      try {
        const serving = await pending;
        const wanted = await wantedFor({ db, model, settings }, tenant, serving);
        if (isSameKind(serving.kind, wanted.kind)) servedKinds.add(kindKey(wanted.kind));
        else startReplacement(serving, wanted);
        return serving;
      } catch (error) {
        if (known === pending) known = undefined;
        throw error;
      }
    },
    /** What a collection that is created now should be. */
    async wanted(): Promise<WantedCollection> {
      const servingModel = (await collections.serving())?.kind.model ?? '';
      const tenants = await tenantsWithChanges(db);
      for (const name of [await model(), servingModel])
        for (const tenant of tenants) {
          const dimensions = await dimensionsOf(db, tenant, name);
          if (dimensions !== undefined) return { kind: { format, model: name, settings }, dimensions };
        }
      return { kind: { format, model: '', settings }, dimensions: undefined };
    },
    /** Reads again which collection serves before the next use. */
    forget() {
      known = undefined;
    },
    async close() {
      closing.abort(new AlfredError('draining'));
      await building;
    },
  };
}
export type ServingCollection = ReturnType<typeof createServingCollection>;

/**
 * The collection that a tenant's search wants. While there is no model, existing vectors stay. A model without any
 * vector for the tenant counts as no model, because the dimensions are unknown.
 */
async function wantedFor(
  { db, model, settings }: Wanting,
  tenant: string,
  serving: Collection | undefined,
): Promise<WantedCollection> {
  const servingModel = serving?.kind.model ?? '';
  const name = (await model()) || servingModel;
  const unchanged = { format, model: servingModel, settings };
  if (serving && name === servingModel && isSameKind(serving.kind, unchanged))
    return { kind: unchanged, dimensions: undefined };
  const dimensions = await dimensionsOf(db, tenant, name);
  // The search of a tenant that has vectors of the new model will replace the collection.
  if (serving && dimensions === undefined && servingModel !== '') return { kind: serving.kind, dimensions };
  return { kind: { ...unchanged, model: dimensions === undefined ? '' : name }, dimensions };
}
