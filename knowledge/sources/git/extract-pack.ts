/** A packet line begins with its length in hex. */
const lengthDigits = 4;
/** The band that carries the pack. Others carry progress and error messages. */
const dataBand = 1;

/**
 * Extracts the pack from a response of git-upload-pack. Its packet lines carry the pack in one of several bands
 * (https://git-scm.com/docs/gitprotocol-pack, "side-band").
 */
export function extractPack(response: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at + lengthDigits <= response.length) {
    const length = Number.parseInt(response.toString('latin1', at, at + lengthDigits), 16);
    if (Number.isNaN(length)) break;
    // Flush and delimiter packets have no content.
    if (length > lengthDigits && response[at + lengthDigits] === dataBand)
      pieces.push(response.subarray(at + lengthDigits + 1, at + length));
    at += Math.max(length, lengthDigits);
  }
  return Buffer.concat(pieces);
}
