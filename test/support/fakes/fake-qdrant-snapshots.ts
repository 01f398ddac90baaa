import { createHash } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import { QdrantRefusal } from './fake-qdrant-filter.ts';
import { FakePoints } from './fake-qdrant-points.ts';

/** Snapshot files by collection. Deleting a collection deletes its snapshots. */
export class FakeSnapshots {
  private readonly files = new Map<string, Map<string, string>>();
  private made = 0;

  create(collection: string, points: FakePoints): Schemas['SnapshotDescription'] {
    const name = `${collection}-1-2026-01-01-00-00-${String(++this.made).padStart(2, '0')}.snapshot`;
    this.files.set(collection, new Map(this.files.get(collection)).set(name, points.packed()));
    return this.described(collection, name);
  }

  list = (collection: string): Schemas['SnapshotDescription'][] =>
    [...(this.files.get(collection)?.keys() ?? [])].map((name) => this.described(collection, name));

  file(collection: string, name: string): string {
    const found = this.files.get(collection)?.get(name);
    if (found === undefined) throw new QdrantRefusal(404, `Not found: Snapshot ${name} not found`);
    return found;
  }

  delete(collection: string, name: string): boolean {
    this.file(collection, name);
    return this.files.get(collection)?.delete(name) ?? false;
  }

  forget = (collection: string) => void this.files.delete(collection);

  /** Restores points from an upload. @param form a `multipart/form-data` body with one file, `snapshot` */
  static recovered(
    form: string,
    {
      contentType = '',
      checksum,
      hasInference,
    }: { contentType?: string | undefined; checksum: string | null; hasInference: boolean },
  ): FakePoints {
    const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(contentType)?.[1];
    if (boundary === undefined)
      throw new QdrantRefusal(400, 'Content type error: Could not find Content-Type: multipart');
    const [before, part = '', after] = form.split(`--${boundary}`);
    const blank = part.indexOf('\r\n\r\n');
    const isWhole = before === '' && after === '--\r\n' && part.endsWith('\r\n') && blank > 0;
    if (!isWhole || !/name="snapshot"; filename="[^"]+"/.test(part.slice(0, blank)))
      throw new QdrantRefusal(400, 'Multipart deserialize error: Field "snapshot" is required');
    const file = part.slice(blank + 4, -2);
    const hash = createHash('sha256').update(file).digest('hex');
    if (checksum !== null && checksum !== hash)
      throw new QdrantRefusal(400, `Bad request: Snapshot checksum mismatch: expected ${checksum}, got ${hash}`);
    try {
      return FakePoints.unpacked(file, hasInference);
    } catch {
      throw new QdrantRefusal(500, 'Service internal error: failed to unpack the snapshot archive');
    }
  }

  private described(collection: string, name: string): Schemas['SnapshotDescription'] {
    const file = this.file(collection, name);
    const checksum = createHash('sha256').update(file).digest('hex');
    return { name, creation_time: '2026-01-01T00:00:00', size: Buffer.byteLength(file), checksum };
  }
}
