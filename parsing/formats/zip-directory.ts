import { inflateRawSync } from 'node:zlib';

export type ZipEntry = {
  name: string;
  method: number;
  packedBytes: number;
  bytes: number;
  offset: number;
  /** The offset of the entry in the directory. */
  directoryOffset: number;
};

const endRecord = 0x06054b50;
const centralHeader = 0x02014b50;

/**
 * Reads the central directory of a zip file (PKWARE APPNOTE 4.3.12 and 4.3.16).
 *
 * @returns undefined when there is none: the file is cut off or not a zip
 */
export function readZipDirectory(file: Uint8Array): ZipEntry[] | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  // The end record has 22 bytes. A comment of up to 64 KiB may follow it.
  let end = file.length - 22;
  const first = Math.max(0, end - 0xffff);
  while (end >= first && view.getUint32(end, true) !== endRecord) end--;
  if (end < first) return undefined;
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  const count = view.getUint16(end + 10, true);
  for (let n = 0; n < count; n++) {
    if (at + 46 > file.length || view.getUint32(at, true) !== centralHeader) return undefined;
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    ) as [number, number, number];
    entries.push({
      name: new TextDecoder().decode(file.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
      directoryOffset: at,
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

/** @returns undefined when the entry lies outside the file */
export function packedBytes(file: Uint8Array, { offset, packedBytes }: ZipEntry): Uint8Array | undefined {
  if (offset + 30 > file.length) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  return file.subarray(start, start + packedBytes);
}

const smallBytes = 1024 * 1024;

/** The text of a part that is at most a megabyte; undefined when it is larger or damaged. */
export function unpackSmall(file: Uint8Array, entry: ZipEntry): string | undefined {
  const packed = packedBytes(file, entry);
  if (!packed || packed.length > smallBytes) return undefined;
  try {
    const bytes = entry.method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: smallBytes });
    return new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-8').decode(bytes);
  } catch {
    return undefined;
  }
}

/** Unpacks all entries to check their total size. The sizes in the directory are not trusted. */
export function unpacksWithin(
  file: Uint8Array,
  entries: ZipEntry[],
  maxBytes: number,
): 'within' | 'too far' | 'broken' {
  let remainingBytes = maxBytes;
  for (const entry of entries) {
    const packed = packedBytes(file, entry);
    if (!packed) return 'broken';
    try {
      remainingBytes -=
        entry.method === 0 ? packed.length : inflateRawSync(packed, { maxOutputLength: remainingBytes }).length;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too far' : 'broken';
    }
    if (remainingBytes <= 0) return 'too far';
  }
  return 'within';
}
