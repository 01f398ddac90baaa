import { createInflateRaw } from 'node:zlib';
import { fileProblem } from '../file-problem.ts';
import { maxUnpackedBytes, unpacksTooFar } from '../limits.ts';
import { packedBytes, readZipDirectory, type ZipEntry } from './zip-directory.ts';

export type OfficePackage = {
  parts: string[];
  has(part: string): boolean;
  /**
   * A part's text in pieces, while it is unpacked. No part is in memory as a whole.
   *
   * @throws AlfredError `file_too_large` when all parts that were read so far unpack to more than 256 MB
   */
  pieces(part: string): AsyncGenerator<string, void>;
};

const pieceBytes = 64 * 1024;
/** This value means that the size is in an extra field, as in zip files of over 4 GB (PKWARE APPNOTE 4.5.3). */
const sizeInExtraField = 0xffffffff;

/**
 * Opens an Office file: a zip of XML parts. Only parts that are read are unpacked, so pictures and macros never are.
 */
export function openOfficePackage(name: string, bytes: Uint8Array): OfficePackage {
  const entries = new Map((readZipDirectory(bytes) ?? []).map((entry) => [entry.name, entry]));
  let remainingBytes = maxUnpackedBytes;

  async function* pieces(part: string): AsyncGenerator<string, void> {
    const entry = entries.get(part);
    const packed = entry && packedBytes(bytes, entry);
    if (!packed) throw damaged(name, `its part ${part} is missing`);
    const declaredBytes = entry.bytes === sizeInExtraField ? Infinity : entry.bytes;
    if (declaredBytes !== Infinity && declaredBytes > remainingBytes) throw unpacksTooFar(name);
    let unpackedBytes = 0;
    let decode: ((piece: Uint8Array) => string) | undefined;
    for await (const piece of unpacked(packed, entry)) {
      remainingBytes -= piece.length;
      if (remainingBytes < 0) throw unpacksTooFar(name);
      unpackedBytes += piece.length;
      if (unpackedBytes > declaredBytes) throw damaged(name, `its part ${part} is larger than the file says`);
      decode ??= decoderFor(piece);
      yield decode(piece);
    }
  }

  return { parts: [...entries.keys()], has: (part) => entries.has(part), pieces };
}

const damaged = (name: string, detail: string) =>
  fileProblem('file_unreadable', name, `the file is damaged: ${detail}. Save it again and add it again.`);

/** XML is UTF-8 unless it begins with the byte order mark of UTF-16. */
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
