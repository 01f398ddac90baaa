/** Of a packet line: its length in hex. */
const lengthDigits = 4;
const dataBand = 1;

/**
 * The pack in an answer of git-upload-pack, whose packet lines carry it in a band of its own
 * (https://git-scm.com/docs/gitprotocol-pack, "side-band").
 */
export function packOfAnswer(answer: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + lengthDigits <= answer.length;) {
    const length = Number.parseInt(answer.toString('latin1', at, at + lengthDigits), 16);
    if (Number.isNaN(length)) break;
    // Flushes and delimiters have no content.
    if (length > lengthDigits && answer[at + lengthDigits] === dataBand)
      pieces.push(answer.subarray(at + lengthDigits + 1, at + length));
    at += Math.max(length, lengthDigits);
  }
  return Buffer.concat(pieces);
}
