import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import { parseJson } from '../../../contract/json.ts';

/** The first line of a file. The rest is Qdrant's own snapshot, byte for byte. */
const Head = z.object({
  alfred: z.literal('qdrant-snapshot'),
  version: z.literal(1),
  alias: z.string(),
  collection: z.string(),
  /** Alfred's metadata of the collection. */
  metadata: z.record(z.string(), z.unknown()),
  /** Tenants that the collection had when it was saved. */
  tenants: z.array(z.string()),
  sizeBytes: z.number().int(),
  /** The server's checksum; null from older servers. */
  sha256: z.string().nullable(),
});
export type SnapshotHead = z.infer<typeof Head>;

/** The first line contains the names of all tenants. A file whose first line is longer than this is no snapshot. */
const maxLineBytes = 64 * 1024 * 1024;

/**
 * Writes a snapshot to a new file. If it fails, it leaves no file.
 *
 * @throws the system's error when the file exists
 * @throws AlfredError `index_unavailable` when size or checksum of `bytes` differ from the head
 */
export async function writeSnapshotFile(file: string, head: SnapshotHead, bytes: Readable, signal: AbortSignal) {
  const target = await open(file, 'wx').catch((error: unknown) => {
    bytes.destroy();
    throw error;
  });
  try {
    await target.write(`${JSON.stringify(head)}\n`);
    const hash = createHash('sha256');
    let size = 0;
    const measured = async function* () {
      for await (const piece of bytes as AsyncIterable<Buffer>) {
        hash.update(piece);
        size += piece.length;
        yield piece;
      }
    };
    await target.writeFile(measured(), { signal });
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
 * @returns the head, and a function that opens Qdrant's part of the file
 * @throws AlfredError `invalid_request` that says why the file is no snapshot
 */
export async function readSnapshotFile(file: string): Promise<{ head: SnapshotHead; bytes: () => Readable }> {
  const invalid = (why: string, cause?: unknown) =>
    new AlfredError('invalid_request', `${file} holds no snapshot of Qdrant for this version of Alfred: ${why}.`, {
      cause,
    });
  try {
    const line = await firstLine(file);
    const head = Head.safeParse(parseJson(line));
    if (!head.success) throw invalid('its first line does not say so');
    const from = Buffer.byteLength(line) + 1;
    const size = (await stat(file)).size - from;
    if (size !== head.data.sizeBytes) throw invalid(`it has ${size} of ${head.data.sizeBytes} bytes`);
    return { head: head.data, bytes: () => createReadStream(file, { start: from }) };
  } catch (error) {
    if (error instanceof AlfredError) throw error;
    throw invalid((error as Error).message, error);
  }
}

async function firstLine(file: string): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    const end = piece.indexOf('\n');
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    size += piece.length;
    if (end >= 0 || size > maxLineBytes) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}
