export type PictureSize = { width: number; height: number; pages: number };

/** The size of a PNG, JPEG or TIFF in pixels, from its header alone; undefined when the header is damaged. */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    if (buffer[0] === 0x89) return { width: buffer.readUInt32BE(16), height: buffer.readUInt32BE(20), pages: 1 };
    return buffer[0] === 0xff ? jpegSize(buffer) : tiffSize(buffer);
  } catch {
    // A read beyond the end.
    return undefined;
  }
}

/** The frame header (SOF) has the size (ITU-T T.81, B.2.2). */
function jpegSize(buffer: Buffer): PictureSize | undefined {
  let at = 2;
  while (at < buffer.length) {
    if (buffer[at] !== 0xff) return undefined;
    const marker = buffer.readUInt8(at + 1);
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: buffer.readUInt16BE(at + 5), width: buffer.readUInt16BE(at + 7), pages: 1 };
    else at += 2 + buffer.readUInt16BE(at + 2);
  }
  return undefined;
}

const widthTag = 256;
const heightTag = 257;
const maxCountedPages = 1_000;

/** Each page has a directory that names the next one (TIFF 6.0, section 2). */
function tiffSize(buffer: Buffer): PictureSize | undefined {
  const isLittle = buffer[0] === 0x49;
  const short = (at: number) => (isLittle ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at));
  const long = (at: number) => (isLittle ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
  const size = { width: 0, height: 0, pages: 0 };
  let directory = long(4);
  while (directory !== 0 && size.pages < maxCountedPages) {
    const entries = short(directory);
    for (let n = 0; n < entries; n++) {
      const entry = directory + 2 + n * 12;
      // Type 3 is a short, which stands in the upper half of the value in the byte order of the file.
      const value = short(entry + 2) === 3 ? short(entry + 8) : long(entry + 8);
      if (short(entry) === widthTag) size.width = Math.max(size.width, value);
      if (short(entry) === heightTag) size.height = Math.max(size.height, value);
    }
    size.pages++;
    directory = long(directory + 2 + entries * 12);
  }
  return size.width > 0 && size.height > 0 ? size : undefined;
}
