import { createInflateRaw } from 'node:zlib';
import { fileProblem } from '../file-problem.ts';
import { maxUnpackedBytes, unpacksTooFar } from '../limits.ts';
import { packedBytes, readZipDirectory, type ZipEntry } from './zip-directory.ts';

export type OfficePackage = {
  parts: string[];
  has(part: string): boolean;
  /**
   * A part's text, piece by piece as it unpacks: no part is ever in memory as a whole.
   *
   * @throws AlfredError `file_too_large` when all that was read so far unpacks to more than 256 MB
   */
  pieces(part: string): AsyncGenerator<string, void>;
};

const pieceBytes = 64 * 1024;
/** The size of an entry that gives it in a field for zip files of more than 4 GB (PKWARE APPNOTE 4.5.3). */
const sizeElsewhere = 0xffffffff;

/** Office files are XML parts in a zip. Pictures, macros and whatever else is never asked for stays packed. */
export function openOfficePackage(name: string, bytes: Uint8Array): OfficePackage {
  const entries = new Map((readZipDirectory(bytes) ?? []).map((entry) => [entry.name, entry]));
  let left = maxUnpackedBytes;

  async function* pieces(part: string): AsyncGenerator<string, void> {
    const entry = entries.get(part);
    const packed = entry && packedBytes(bytes, entry);
    if (!packed) throw damaged(name, `its part ${part} is missing`);
    const says = entry.bytes === sizeElsewhere ? Infinity : entry.bytes;
    if (says !== Infinity && says > left) throw unpacksTooFar(name);
    let come = 0;
    let decode: ((piece: Uint8Array) => string) | undefined;
    for await (const piece of unpacked(packed, entry)) {
      left -= piece.length;
      if (left < 0) throw unpacksTooFar(name);
      if ((come += piece.length) > says) throw damaged(name, `its part ${part} is larger than the file says`);
      decode ??= decoderFor(piece);
      yield decode(piece);
    }
  }

  return { parts: [...entries.keys()], has: (part) => entries.has(part), pieces };
}

const damaged = (name: string, how: string) =>
  fileProblem('file_unreadable', name, `the file is damaged: ${how}. Save it again and add it again.`);

/** XML is in UTF-8 unless its first bytes say otherwise. */
function decoderFor([first, second]: Uint8Array) {
  const decoder = new TextDecoder(first === 0xff && second === 0xfe ? 'utf-16le' : 'utf-8');
  return (piece: Uint8Array) => decoder.decode(piece, { stream: true });
}

async function* unpacked(packed: Uint8Array, { method }: ZipEntry): AsyncGenerator<Uint8Array, void> {
  if (method === 0) {
    for (let at = 0; at < packed.length; at += pieceBytes) yield packed.subarray(at, at + pieceBytes);
    return;
  }
  const inflate = createInflateRaw({ chunkSize: pieceBytes });
  inflate.end(packed);
  yield* inflate as AsyncIterable<Uint8Array>;
}
