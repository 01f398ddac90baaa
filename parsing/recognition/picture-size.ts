export type PictureSize = { width: number; height: number; pages: number };

/**
 * The size of a PNG, JPEG or TIFF in pixels, from its header alone; undefined when the header is damaged, or leaves the
 * size to what follows it.
 */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    const size = sizeOf(buffer);
    return size && size.width > 0 && size.height > 0 ? size : undefined;
  } catch {
    // A read beyond the end.
    return undefined;
  }
}

function sizeOf(buffer: Buffer): PictureSize | undefined {
  if (buffer[0] === 0x89) return { width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20), pages: 1 };
  return buffer[0] === 0xff ? jpegSize(buffer) : tiffSize(buffer);
}

/** Markers without a length: TEM, the restarts, and the start of the image (ITU-T T.81, table B.1). */
const isLoneMarker = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
const endOfImage = 0xd9;
const startOfScan = 0xda;

/** The frame header (SOF) has the size (ITU-T T.81, B.2.2). It stands before the first scan. */
function jpegSize(buffer: Buffer): PictureSize | undefined {
  let at = 2;
  while (at < buffer.length) {
    if (buffer[at] !== 0xff) return undefined;
    const marker = buffer.readUInt8(at + 1);
    if (marker === endOfImage || marker === startOfScan) return undefined;
    if (marker === 0xff) at++;
    else if (isLoneMarker(marker)) at += 2;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: buffer.readUInt16BE(at + 5), width: buffer.readUInt16BE(at + 7), pages: 1 };
    else at += 2 + buffer.readUInt16BE(at + 2);
  }
  return undefined;
}

const subfileTag = 254;
const widthTag = 256;
const heightTag = 257;
const byteType = 1;
const shortType = 3;
const maxDirectories = 1_000;

/** Each page has a directory that names the next one (TIFF 6.0, section 2). */
function tiffSize(buffer: Buffer): PictureSize | undefined {
  const isLittle = buffer[0] === 0x49;
  const short = (at: number) => (isLittle ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at));
  const long = (at: number) => (isLittle ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
  // BigTIFF, with the number 43, has another structure.
  if (short(2) !== 42) return undefined;
  const size = { width: 0, height: 0, pages: 0 };
  let directory = long(4);
  for (let read = 0; directory !== 0 && read < maxDirectories; read++) {
    const entries = short(directory);
    let isPage = true;
    for (let n = 0; n < entries; n++) {
      const entry = directory + 2 + n * 12;
      const type = short(entry + 2);
      // A value that is shorter than its place stands at its beginning, in either byte order.
      const value = type === byteType ? buffer.readUInt8(entry + 8) : (type === shortType ? short : long)(entry + 8);
      // Bit 0: a smaller copy of a page; bit 2: its mask.
      if (short(entry) === subfileTag) isPage = (value & 0b101) === 0;
      if (short(entry) === widthTag) size.width = Math.max(size.width, value);
      if (short(entry) === heightTag) size.height = Math.max(size.height, value);
    }
    if (isPage) size.pages++;
    directory = long(directory + 2 + entries * 12);
  }
  return size;
}
