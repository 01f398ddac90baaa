import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import { parseJson } from '../../../contract/json.ts';

/** The first line of a file; what follows is Qdrant's own snapshot, byte for byte. */
const Head = z.object({
  alfred: z.literal('qdrant-snapshot'),
  version: z.literal(1),
  alias: z.string(),
  collection: z.string(),
  /** What Alfred keeps in the collection's metadata. */
  metadata: z.record(z.string(), z.unknown()),
  /** Tenants that it held when it was taken. */
  tenants: z.array(z.string()),
  sizeBytes: z.number().int(),
  /** As the server gave it; older ones give none. */
  sha256: z.string().nullable(),
});
export type SnapshotHead = z.infer<typeof Head>;

/** A first line is as long as the names of the tenants; whatever has none for this long is something else. */
const longestLine = 64 * 1024 * 1024;

/** @throws when the file is there already, or what comes is not what the head says; nothing is left then */
export async function writeSnapshotFile(file: string, head: SnapshotHead, bytes: Readable, signal: AbortSignal) {
  const target = await open(file, 'wx').catch((error: unknown) => {
    bytes.destroy();
    throw error;
  });
  try {
    await target.write(`${JSON.stringify(head)}\n`);
    const hash = createHash('sha256');
    let size = 0;
    const counted = async function* () {
      for await (const piece of bytes as AsyncIterable<Buffer>) {
        hash.update(piece);
        size += piece.length;
        yield piece;
      }
    };
    await target.writeFile(counted(), { signal });
    if (size !== head.sizeBytes || (head.sha256 ?? '') !== (head.sha256 === null ? '' : hash.digest('hex')))
      throw new AlfredError('index_unavailable', `The snapshot came broken: ${size} of ${head.sizeBytes} bytes.`);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await target.close();
  }
}

/**
 * @returns the head, and Qdrant's part of the file, which may be read once
 * @throws AlfredError `invalid_request` that says what the file is not
 */
export async function readSnapshotFile(file: string): Promise<{ head: SnapshotHead; bytes: () => Readable }> {
  const refused = (why: string, cause?: unknown) =>
    new AlfredError('invalid_request', `${file} holds no snapshot of Qdrant for this version of Alfred: ${why}.`, {
      cause,
    });
  try {
    const line = await firstLine(file);
    const head = Head.safeParse(parseJson(line));
    if (!head.success) throw refused('its first line does not say so');
    const from = Buffer.byteLength(line) + 1;
    const size = (await stat(file)).size - from;
    if (size !== head.data.sizeBytes) throw refused(`it has ${size} of ${head.data.sizeBytes} bytes`);
    return { head: head.data, bytes: () => createReadStream(file, { start: from }) };
  } catch (error) {
    if (error instanceof AlfredError) throw error;
    throw refused((error as Error).message, error);
  }
}

async function firstLine(file: string): Promise<string> {
  const read: Buffer[] = [];
  let size = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    const end = piece.indexOf('\n');
    read.push(end < 0 ? piece : piece.subarray(0, end));
    size += piece.length;
    if (end >= 0 || size > longestLine) break;
  }
  return Buffer.concat(read).toString('utf8');
}
