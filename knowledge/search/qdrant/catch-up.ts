import type { Schemas } from '@qdrant/js-client-rest';
import type { Logger } from '../../../runtime/logger.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { createSemaphore } from '../../../runtime/semaphore.ts';
import {
  isSameHistory,
  readChanges,
  readChangeLogHead,
  type DocumentChanges,
  type IndexPosition,
} from '../change-log.ts';
import type { Encoder } from './bm25.ts';
import type { Collection } from './collection.ts';
import { ofTenant, oneOf } from './filter.ts';
import { withAdvisoryLock, type ConfirmLock } from './with-advisory-lock.ts';
import { positionPointId, positionPoint, pointIdOf, pointsOf, parsePosition } from './points.ts';
import type { Server } from './server.ts';

/** This many points with 3,072 numbers each make a request of a few megabytes; a server accepts 32 MB. */
const pointsAtOnce = 100;

/** Each of them occupies a database connection while Qdrant works. Most connections must stay free for others. */
const tenantsAtOnce = 4;

type Deps = { server: Server; db: Database; log: Logger; encoder: (collection: string) => Promise<Encoder> };
/** A tenant's points in a collection. */
export type TenantPoints = { collection: Collection; tenant: string };

export const keyOf = ({ collection, tenant }: TenantPoints) => JSON.stringify([collection.name, tenant]);

/**
 * Brings a collection up to date with Postgres. Points are written before the position that they belong to, and to
 * write them again changes nothing. So after a crash the next process repeats the last part.
 */
export function createCatchUp({ server, db, log, encoder }: Deps) {
  /** The last known position of each tenant. It saves a read before the search. */
  const knownPositions = new Map<string, IndexPosition>();
  const withSlot = createSemaphore(tenantsAtOnce);
  const advance = createAdvance({ server, db, log, encoder });

  return {
    /**
     * Applies every change that was made before the call.
     *
     * @param signal stops the work between two parts
     * @returns the position that a search must have reached
     */
    async run(target: TenantPoints, signal: AbortSignal): Promise<IndexPosition> {
      const key = keyOf(target);
      let position = knownPositions.get(key) ?? (await readPosition(server, target));
      let newestAtCall: number | undefined;
      while (true) {
        signal.throwIfAborted();
        const head = await readChangeLogHead(db, target.tenant, position.applied);
        if (isSameHistory(position, head)) {
          newestAtCall ??= head.newest;
          if (position.applied >= newestAtCall) break;
        }
        const reached = await withSlot(signal, () => advance(target));
        // No change is left: the documents of the expected changes were changed again or deleted since.
        if (reached.source === position.source && reached.applied === position.applied) break;
        position = reached;
      }
      knownPositions.set(key, position);
      return position;
    },
    /** The last known positions of tenants in a collection. */
    knownPositionsIn: ({ name }: Collection) =>
      [...knownPositions].flatMap(([key, { applied }]) => {
        const [collection, tenant] = JSON.parse(key) as [string, string];
        return collection === name ? [{ tenant, applied }] : [];
      }),
    /** Drops a known position that is wrong: the server lost the points, or was restored from an older snapshot. */
    forget: (target: TenantPoints) => void knownPositions.delete(keyOf(target)),
  };
}
export type CatchUp = ReturnType<typeof createCatchUp>;

async function readPosition(server: Server, { collection, tenant }: TenantPoints): Promise<IndexPosition> {
  const ids = [positionPointId(tenant)];
  const [point] = await server.call((client) => client.retrieve(collection.name, { ids, with_payload: true }));
  return parsePosition(point);
}

function createAdvance({ server, db, log, encoder }: Deps) {
  const upsert = (name: string, points: Schemas['PointStruct'][]) =>
    server.call((client) => client.upsert(name, { wait: true, points }));
  const remove = (name: string, filter: Schemas['Filter']) =>
    server.call((client) => client.delete(name, { wait: true, filter }));

  const writePoints = async (
    { collection, tenant }: TenantPoints,
    { documents, documentIds }: DocumentChanges,
    confirmLock: ConfirmLock,
  ) => {
    const target = { encoder: await encoder(collection.name), into: collection };
    const points = documents.flatMap((document) => pointsOf(tenant, document, target));
    for (let from = 0; from < points.length; from += pointsAtOnce) {
      await confirmLock();
      await upsert(collection.name, points.slice(from, from + pointsAtOnce));
    }
    await confirmLock();
    const current = documents.flatMap(({ passages }) => passages.map(({ chunkId }) => pointIdOf(chunkId)));
    await remove(collection.name, {
      must: [...[ofTenant(tenant).must ?? []].flat(), oneOf('document_id', documentIds)],
      ...(current.length > 0 ? { must_not: [{ has_id: current }] } : {}),
    });
  };

  /** Applies the next changes, or removes all points of the tenant to start again. @returns the position reached */
  return (target: TenantPoints): Promise<IndexPosition> => {
    const { collection, tenant } = target;
    return withAdvisoryLock(db, `qdrant ${keyOf(target)}`, async (trx, confirmLock) => {
      const position = await readPosition(server, target);
      const head = await readChangeLogHead(trx, tenant, position.applied);
      let reached: IndexPosition = { source: head.source, applied: 0, anchor: null };
      if (isSameHistory(position, head)) {
        const changes = await readChanges(trx, { tenant, applied: position.applied, model: collection.kind.model });
        if (!changes) return position;
        await writePoints(target, changes, confirmLock);
        reached = { source: position.source, applied: changes.seq, anchor: changes.at };
      } else {
        if (position.source !== '')
          log.warn(
            { tenant, collection: collection.name, applied: position.applied, newest: head.newest },
            'the search index follows another database and is built anew',
          );
        await remove(collection.name, ofTenant(tenant));
      }
      await confirmLock();
      await upsert(collection.name, [positionPoint(tenant, reached)]);
      return reached;
    });
  };
}
