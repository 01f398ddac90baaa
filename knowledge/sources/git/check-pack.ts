import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { AlfredError } from '../../../contract/errors.ts';

const headerBytes = 12;
/** Numbers of the two object types that are deltas. */
const deltaTypes = { offset: 6, reference: 7 };
/** Objects that are checked before the event loop gets a turn. */
const objectsPerTurn = 200;

/** What Node returns with the option `info`. Its types lack this. */
type Inflated = { buffer: Buffer; engine: { bytesWritten: number } };
const inflate = (bytes: Buffer, maxOutputLength: number) =>
  inflateSync(bytes, { info: true, maxOutputLength }) as unknown as Inflated;

/**
 * Checks the unpacked sizes in a Git pack before the Git library reads it. A few
 * kilobytes can unpack to gigabytes, as data or through a delta. Each object is
 * unpacked once and discarded (format: https://git-scm.com/docs/gitformat-pack).
 *
 * @throws AlfredError `file_too_large`, `source_unreadable`
 */
export async function checkPack(pack: Buffer, limits: { objectBytes: number; totalBytes: number }): Promise<void> {
  const damaged = (cause?: unknown) =>
    new AlfredError('source_unreadable', 'The repository’s answer is damaged.', { cause });
  if (pack.length < headerBytes || pack.toString('latin1', 0, 4) !== 'PACK') throw damaged();
  const count = pack.readUInt32BE(8);
  let at = headerBytes;
  let total = 0;
  for (let n = 0; n < count; n++) {
    if (n % objectsPerTurn === 0) await yieldToEventLoop();
    const type = ((pack[at] ?? 0) >> 4) & 7;
    at = afterVarint(pack, at);
    if (type === deltaTypes.offset) at = afterVarint(pack, at);
    if (type === deltaTypes.reference) at += 20;
    let object: Inflated;
    try {
      object = inflate(pack.subarray(at), limits.objectBytes);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limits.objectBytes);
      throw damaged(cause);
    }
    at += object.engine.bytesWritten;
    const isDelta = type === deltaTypes.offset || type === deltaTypes.reference;
    const size = isDelta ? deltaResultSize(object.buffer) : object.buffer.length;
    total += size;
    if (size > limits.objectBytes) throw tooLarge(limits.objectBytes);
    if (total > limits.totalBytes) throw tooLarge(limits.totalBytes);
  }
}

const tooLarge = (bytes: number) =>
  new AlfredError(
    'file_too_large',
    `The repository holds more than is read: beyond ${Math.floor(bytes / 1_000_000)} MB unpacked. Make a smaller one of the folder.`,
  );

/** The offset behind a number of variable length: all of its bytes but the last have the top bit set. */
function afterVarint(bytes: Buffer, from: number): number {
  let at = from;
  while ((bytes[at] ?? 0) & 0x80) at++;
  return at + 1;
}

/** The size of a delta's result: the second number in its header, 7 bits a byte, lowest first. */
function deltaResultSize(delta: Buffer): number {
  let at = afterVarint(delta, 0);
  let size = 0;
  let weight = 1;
  while (true) {
    const byte = delta[at++] ?? 0;
    size += (byte & 0x7f) * weight;
    if (!(byte & 0x80)) return size;
    weight *= 128;
  }
}
