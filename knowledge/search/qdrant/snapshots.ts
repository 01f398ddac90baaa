import { randomBytes } from 'node:crypto';
import { json } from 'node:stream/consumers';
import type { Schemas } from '@qdrant/js-client-rest';
import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { collectionFromMetadata, format, metadataOf, type Collection } from './collection.ts';
import type { Collections } from './collections.ts';
import type { Server } from './server.ts';
import { readSnapshotFile, writeSnapshotFile, type SnapshotHead } from './snapshot-file.ts';

type Deps = { server: Server; alias: string; collections: Collections; log: Logger };

/** @property tenants that a collection had when it was saved */
export type RestoredCollection = { collection: Collection; tenants: string[] };

const pathOf = (collection: string) => `/collections/${encodeURIComponent(collection)}/snapshots`;

/** Saves a collection as a file and back. Uses Qdrant's own snapshots, which contain everything except aliases. */
export function createSnapshots({ server, alias, collections, log }: Deps) {
  /** A snapshot is saved to and restored from one node, and behind one address we cannot choose among several nodes. */
  const checkSingleNode = async (signal: AbortSignal) => {
    const response = await server.stream({ method: 'GET', path: '/cluster', signal });
    const { result } = (await json(response)) as { result: Schemas['ClusterStatus'] };
    const nodes = result.status === 'enabled' ? Object.keys(result.peers).length : 1;
    if (nodes > 1)
      throw new AlfredError(
        'invalid_request',
        `Qdrant runs on ${nodes} nodes, and each saves only what it holds itself: see docs/how-to/use-qdrant.md, or build the index again with \`alfred index rebuild\`.`,
      );
  };

  return {
    /**
     * Writes a snapshot of a collection to a new file.
     *
     * @throws AlfredError `invalid_request` when the server has several nodes
     * @throws the system's error when the file exists
     */
    async save(
      { collection, tenants, file }: { collection: Collection; tenants: string[]; file: string },
      signal: AbortSignal,
    ): Promise<void> {
      await checkSingleNode(signal);
      const path = pathOf(collection.name);
      const created = await server.stream({ method: 'POST', path, query: { wait: 'true' }, signal });
      const { result } = (await json(created)) as { result: Schemas['SnapshotDescription'] };
      const { name, size, checksum } = result;
      try {
        const bytes = await server.stream({ method: 'GET', path: `${path}/${encodeURIComponent(name)}`, signal });
        const head: SnapshotHead = {
          alfred: 'qdrant-snapshot',
          version: 1,
          alias,
          collection: collection.name,
          metadata: metadataOf(collection),
          tenants,
          sizeBytes: size,
          sha256: checksum ?? null,
        };
        await writeSnapshotFile(file, head, bytes, signal);
      } finally {
        // The snapshot occupies the server's disk. One that cannot be deleted now goes with its collection.
        await server
          .call((client) => client.deleteSnapshot(collection.name, name))
          .catch((error: unknown) => log.warn({ err: error, snapshot: name }, 'a snapshot stays on Qdrant’s disk'));
      }
    },

    /**
     * Makes a collection from a file.
     *
     * @param name of the new collection
     * @throws AlfredError `invalid_request` when the file is no snapshot or broken, or the server has several nodes
     */
    async restore(file: string, name: string, signal: AbortSignal): Promise<RestoredCollection> {
      const { head, bytes } = await readSnapshotFile(file);
      if (collectionFromMetadata(name, head.metadata)?.kind.format !== format)
        throw new AlfredError(
          'invalid_request',
          `${file} was made by another version of Alfred: rebuild the index instead.`,
        );
      await checkSingleNode(signal);
      const response = await server.stream({
        method: 'POST',
        path: `${pathOf(name)}/upload`,
        query: { wait: 'true', priority: 'snapshot', ...(head.sha256 === null ? {} : { checksum: head.sha256 }) },
        body: formOf(bytes(), head.sizeBytes),
        signal,
      });
      response.resume();
      // Only newer servers include the metadata in a snapshot.
      await server.call((client) => client.updateCollection(name, { metadata: head.metadata }));
      const collection = await collections.read(name);
      if (!collection) throw new AlfredError('internal', `Qdrant made nothing of ${file} that Alfred knows.`);
      return { collection, tenants: head.tenants };
    },
  };
}

/** A form with one file. It declares its length, because servers and proxies refuse large uploads without one. */
function formOf(bytes: AsyncIterable<Uint8Array>, sizeBytes: number) {
  const boundary = `alfred-${randomBytes(16).toString('hex')}`;
  const begin = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="snapshot"; filename="alfred.snapshot"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(begin.length + sizeBytes + end.length),
    },
    pieces: (async function* () {
      yield begin;
      yield* bytes;
      yield end;
    })(),
  };
}
