import type { Schemas } from '@qdrant/js-client-rest';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { createSemaphore } from '../../../runtime/semaphore.ts';
import { isSameHistory, readChanges, readChangeLogHead, type DocumentChanges } from '../change-log.ts';
import type { Encoder } from './bm25.ts';
import type { Collection } from './collection.ts';
import { ofTenant, oneOf } from './filter.ts';
import { withAdvisoryLock } from './with-advisory-lock.ts';
import { positionPointId, positionPoint, pointIdOf, pointsOf, parsePosition, type Position } from './points.ts';
import type { Server } from './server.ts';

/** A request of this many points with 3,072 numbers each is a few megabytes; a server takes 32. */
const pointsAtOnce = 100;

/** Each holds a connection of the database for as long as Qdrant takes; most are for others. */
const tenantsAtOnce = 4;

type Deps = { server: Server; db: Database; log: Logger; encoder: (collection: string) => Promise<Encoder> };
type Of = { collection: Collection; tenant: string };

/**
 * Brings a collection to where Postgres is. Points are written before the position that stands for them, and writing them
 * again changes nothing; so whoever comes after a crash does the last part once more.
 */
export function createCatchUp({ server, db, log, encoder }: Deps) {
  /** Where a tenant was seen to be, so that a search need not ask before it searches. */
  const seen = new Map<string, Position>();
  const withSlot = createSemaphore(tenantsAtOnce);
  const keyOf = ({ collection, tenant }: Of) => JSON.stringify([collection.name, tenant]);

  const read = async ({ collection, tenant }: Of): Promise<Position> => {
    const ids = [positionPointId(tenant)];
    const [mark] = await server.ask((client) => client.retrieve(collection.name, { ids, with_payload: true }));
    return parsePosition(mark);
  };

  const upsert = (name: string, points: Schemas['PointStruct'][]) =>
    server.ask((client) => client.upsert(name, { wait: true, points }));
  const remove = (name: string, filter: Schemas['Filter']) =>
    server.ask((client) => client.delete(name, { wait: true, filter }));

  const write = async ({ collection, tenant }: Of, changes: DocumentChanges, stillHeld: () => Promise<void>) => {
    const made = { encoder: await encoder(collection.name), into: collection };
    const points = changes.documents.flatMap((document) => pointsOf(tenant, document, made));
    for (let from = 0; from < points.length; from += pointsAtOnce) {
      await stillHeld();
      await upsert(collection.name, points.slice(from, from + pointsAtOnce));
    }
    await stillHeld();
    const kept = changes.documents.flatMap(({ passages }) => passages.map(({ chunkId }) => pointIdOf(chunkId)));
    await remove(collection.name, {
      must: [...[ofTenant(tenant).must ?? []].flat(), oneOf('document_id', changes.documentIds)],
      ...(kept.length > 0 ? { must_not: [{ has_id: kept }] } : {}),
    });
  };

  /** Takes over the next changes, or begins anew. @returns the position reached */
  const advance = (of: Of): Promise<Position> => {
    const { collection, tenant } = of;
    return withAdvisoryLock(db, `qdrant ${keyOf(of)}`, async (tx, stillHeld) => {
      const position = await read(of);
      const standing = await readChangeLogHead(tx, tenant, position.applied);
      let to: Position = { source: standing.source, applied: 0, anchor: null };
      if (isSameHistory(position, standing)) {
        const changes = await readChanges(tx, { tenant, applied: position.applied, model: collection.kind.model });
        if (!changes) return position;
        await write(of, changes, stillHeld);
        to = { source: position.source, applied: changes.seq, anchor: changes.at };
      } else {
        if (position.source !== '')
          log.warn(
            { tenant, collection: collection.name, applied: position.applied, newest: standing.newest },
            'the search index follows another database and is built anew',
          );
        await remove(collection.name, ofTenant(tenant));
      }
      await stillHeld();
      await upsert(collection.name, [positionPoint(tenant, to)]);
      return to;
    });
  };

  return {
    /**
     * Takes over every change that was made before the call.
     *
     * @param signal stops between two parts
     * @returns the position that a search must find at the least
     */
    async caughtUp(of: Of, signal: AbortSignal): Promise<Position> {
      const key = keyOf(of);
      let position = seen.get(key) ?? (await read(of));
      let target: number | undefined;
      for (;;) {
        signal.throwIfAborted();
        const standing = await readChangeLogHead(db, of.tenant, position.applied);
        if (isSameHistory(position, standing)) target ??= standing.newest;
        if (target !== undefined && isSameHistory(position, standing) && position.applied >= target) break;
        const reached = await withSlot(signal, () => advance(of));
        // The changes that were counted on are gone, their documents changed once more: there is nothing left to take.
        if (reached.source === position.source && reached.applied === position.applied) break;
        position = reached;
      }
      seen.set(key, position);
      return position;
    },
    /** Where tenants were seen to be in a collection. */
    seenIn: ({ name }: Collection) =>
      [...seen].flatMap(([key, { applied }]) => {
        const [collection, tenant] = JSON.parse(key) as [string, string];
        return collection === name ? [{ tenant, applied }] : [];
      }),
    /** What was seen holds no more: the server has lost it, or was given an older snapshot. */
    forget: (of: Of) => void seen.delete(keyOf(of)),
  };
}
export type CatchUp = ReturnType<typeof createCatchUp>;
