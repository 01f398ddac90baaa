import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Content that is already compressed, for files too large to build uncompressed. */
export class Packed {
  readonly packed: Buffer;
  readonly bytes: number;

  constructor(packed: Buffer, bytes: number) {
    this.packed = packed;
    this.bytes = bytes;
  }
}

export type Entry = string | Uint8Array | Packed;

/**
 * Compresses `before`, `piece` many times and `after` into one stream, without building the text. Independent deflate
 * blocks may follow each other in one stream.
 */
export function repeated(before: string, piece: string, times: number, after: string): Packed {
  const block = (text: string) => deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH });
  const packed = [block(before), ...Array<Buffer>(times).fill(block(piece)), deflateRawSync(after)];
  return new Packed(Buffer.concat(packed), before.length + piece.length * times + after.length);
}

function pack(content: Entry): Packed & { crc: number } {
  if (content instanceof Packed) return { ...content, crc: 0 };
  const bytes = Buffer.from(content);
  return { packed: deflateRawSync(bytes, { level: 1 }), bytes: bytes.length, crc: crc32(bytes) };
}

/** A zip file in memory with deflated entries: enough of the format for an Office file. */
export function zipFile(entries: Record<string, Entry>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, content] of Object.entries(entries)) {
    const name = Buffer.from(path);
    const { packed, bytes, crc } = pack(content);
    // Both headers contain these 26 bytes, from "version needed" to "extra length".
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc, 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(bytes, 18);
    shared.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, name, packed]);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), shared, place, name]));
    bodies.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(bodies.length, 8);
  end.writeUInt16LE(bodies.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, listing, end]);
}
