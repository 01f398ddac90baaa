import { crc32, deflateSync } from 'node:zlib';

/** A grey picture: one byte a pixel, 0 is black, row by row from the top. */
export type Raster = { width: number; height: number; pixels: Uint8Array };

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Speed counts: the picture is read once and thrown away. */
const compressionLevel = 1;

/** Writes a picture as PNG (ISO/IEC 15948): 8-bit grey, without filters. */
export function encodePng({ width, height, pixels }: Raster): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  // Each row begins with the number of its filter, 0 for none.
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: compressionLevel })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, checksum]);
}
