import { setImmediate as breathe } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { AlfredError } from '../../../contract/errors.ts';

const headerBytes = 12;
const types = { ofsDelta: 6, refDelta: 7 };
/** Between two pauses in which the rest of the process may do something. */
const objectsAtOnce = 200;

/** Node gives it when asked for `info`; its types do not say so. */
type Inflated = { buffer: Buffer; engine: { bytesWritten: number } };
const inflate = (bytes: Buffer, maxOutputLength: number) =>
  inflateSync(bytes, { info: true, maxOutputLength }) as unknown as Inflated;

/**
 * Unpacks every object of a Git pack once and keeps none, so that no repository, however hostile, fills the memory: a few
 * kilobytes may unpack to gigabytes, as data or by a delta (https://git-scm.com/docs/gitformat-pack).
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
    if (n % objectsAtOnce === 0) await breathe();
    const type = ((pack[at] ?? 0) >> 4) & 7;
    at = afterVarint(pack, at);
    if (type === types.ofsDelta) at = afterVarint(pack, at);
    if (type === types.refDelta) at += 20;
    let object: Inflated;
    try {
      object = inflate(pack.subarray(at), limits.objectBytes);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limits.objectBytes);
      throw damaged(cause);
    }
    at += object.engine.bytesWritten;
    const isDelta = type === types.ofsDelta || type === types.refDelta;
    const size = isDelta ? deltaResult(object.buffer) : object.buffer.length;
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

function afterVarint(bytes: Buffer, from: number): number {
  let at = from;
  while ((bytes[at] ?? 0) & 0x80) at++;
  return at + 1;
}

/** What a delta says it makes: the second number in it. */
function deltaResult(delta: Buffer): number {
  let at = afterVarint(delta, 0);
  let size = 0;
  for (let weight = 1; ; weight *= 128) {
    const byte = delta[at++] ?? 0;
    size += (byte & 0x7f) * weight;
    if (!(byte & 0x80)) return size;
  }
}
