import { crc32 } from 'node:zlib';
import { readZipDirectory } from './zip-directory.ts';

/**
 * A copy of a zip file in which one part has another content. The new content and a new directory are appended;
 * the old content stays in the file, and nothing refers to it.
 */
export function replaceZipPart(file: Uint8Array, part: string, content: Uint8Array): Buffer {
  const entries = readZipDirectory(file) ?? [];
  const name = Buffer.from(part);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  writeCommon(local.subarray(4), content, name.length);
  const directory = entries.map((entry) => {
    const isNew = entry.name === part;
    const entryName = Buffer.from(entry.name);
    const header = Buffer.alloc(46);
    header.writeUInt32LE(0x02014b50, 0);
    header.writeUInt16LE(20, 4);
    if (isNew) writeCommon(header.subarray(6), content, entryName.length);
    else Buffer.from(file.buffer, file.byteOffset + entry.directoryOffset + 6, 22).copy(header, 6);
    header.writeUInt16LE(entryName.length, 28);
    header.writeUInt32LE(isNew ? file.length : entry.offset, 42);
    return Buffer.concat([header, entryName]);
  });
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(file.length + local.length + name.length + content.length, 16);
  return Buffer.concat([file, local, name, content, ...directory, end]);
}

/** The fields from "version needed" to "file name length", which both headers share (PKWARE APPNOTE 4.3.7). */
function writeCommon(header: Buffer, content: Uint8Array, nameLength: number) {
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(0x0800, 2);
  header.writeUInt32LE(crc32(content), 10);
  header.writeUInt32LE(content.length, 14);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt16LE(nameLength, 22);
}
