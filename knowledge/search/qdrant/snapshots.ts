import { randomBytes } from 'node:crypto';
import { json } from 'node:stream/consumers';
import type { Schemas } from '@qdrant/js-client-rest';
import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { collectionFromMetadata, format, metadataOf, type Collection } from './collection.ts';
import type { Collections } from './collections.ts';
import type { Server } from './server.ts';
import { readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts';

type Deps = { server: Server; alias: string; collections: Collections; log: Logger };

/** A collection as a file, by Qdrant's own snapshots, which hold everything but aliases. */
export function createSnapshots({ server, alias, collections, log }: Deps) {
  /** A node saves and takes what it holds itself, and behind one address we cannot choose among several. */
  const checkAlone = async (signal: AbortSignal) => {
    const answer = await server.send({ method: 'GET', path: '/cluster', signal });
    const { result } = (await json(answer)) as { result: Schemas['ClusterStatus'] };
    const nodes = result.status === 'enabled' ? Object.keys(result.peers).length : 1;
    if (nodes > 1)
      throw new AlfredError(
        'invalid_request',
        `Qdrant runs on ${nodes} nodes, and each saves only what it holds itself: see docs/qdrant.md, or build the index anew with \`alfred index rebuild\`.`,
      );
  };
  const pathOf = (collection: string) => `/collections/${encodeURIComponent(collection)}/snapshots`;

  return {
    /** @throws AlfredError `invalid_request` when the server has several nodes; the system's error when the file is there already */
    async save(collection: Collection, tenants: string[], file: string, signal: AbortSignal): Promise<void> {
      await checkAlone(signal);
      const path = pathOf(collection.name);
      const made = (await json(await server.send({ method: 'POST', path, query: { wait: 'true' }, signal }))) as {
        result: Schemas['SnapshotDescription'];
      };
      const { name, size, checksum } = made.result;
      const snapshot = `${path}/${encodeURIComponent(name)}`;
      try {
        const bytes = await server.send({ method: 'GET', path: snapshot, signal });
        const head = {
          ...({ alfred: 'qdrant-snapshot', version: 1 } as const),
          ...{ alias, collection: collection.name, metadata: metadataOf(collection), tenants },
          ...{ sizeBytes: size, sha256: checksum ?? null },
        };
        await writeSnapshotFile(file, head, bytes, signal);
      } finally {
        // It takes the server's disk. One that stays goes with its collection.
        await server
          .ask((client) => client.deleteSnapshot(collection.name, name))
          .catch((error: unknown) => log.warn({ err: error, snapshot: name }, 'a snapshot stays on Qdrant’s disk'));
      }
    },

    /**
     * Makes a collection of a file.
     *
     * @returns it, and the tenants that it was made for
     * @throws AlfredError `invalid_request` when the file is none, is broken, or the server has several nodes
     */
    async put(file: string, name: string, signal: AbortSignal): Promise<{ made: Collection; tenants: string[] }> {
      const { head, bytes } = await readSnapshotFile(file);
      if (collectionFromMetadata(name, head.metadata)?.kind.format !== format)
        throw new AlfredError(
          'invalid_request',
          `${file} was made by another version of Alfred: rebuild the index instead.`,
        );
      await checkAlone(signal);
      const answer = await server.send({
        ...{ method: 'POST', path: `${pathOf(name)}/upload`, signal },
        query: { wait: 'true', priority: 'snapshot', ...(head.sha256 === null ? {} : { checksum: head.sha256 }) },
        body: formOf(bytes(), head.sizeBytes),
      });
      answer.resume();
      // Servers keep it in a snapshot from the version on that knows it.
      await server.ask((client) => client.updateCollection(name, { metadata: head.metadata }));
      const made = await collections.read(name);
      if (!made) throw new AlfredError('internal', `Qdrant made nothing of ${file} that Alfred knows.`);
      return { made, tenants: head.tenants };
    },
  };
}

/** A form with one file, as long as it says beforehand: servers and proxies take no other uploads of this size. */
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
