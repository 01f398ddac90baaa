import { TextDecoder } from 'node:util';
import { InvalidRequest } from '../../contract/errors.ts';

/** The longest letter of UTF-8, in bytes. */
const longestLetter = 4;

const problem = (message: string) => new InvalidRequest([{ path: '', message }]);

/**
 * Decodes bytes as they come. UTF-8 and UTF-16 are recognised by their mark, and UTF-16 without one by the zeros of its
 * first letters. Everything else is UTF-8, or Windows-1252 when the first bytes that are not ASCII are no UTF-8.
 *
 * @param charset as the sender names it; undefined: it is found out
 * @throws InvalidRequest for bytes that the encoding does not have
 */
export async function* decodeStream(
  bytes: AsyncIterable<Uint8Array>,
  charset: string | undefined,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  // As long as all is ASCII, UTF-8 and Windows-1252 say the same.
  let waiting = Buffer.alloc(0);
  let isFirst = true;
  for await (const chunk of bytes) {
    if (decoder) {
      yield decode(decoder, chunk);
      continue;
    }
    waiting = Buffer.concat([waiting, chunk]);
    if (isFirst && waiting.length < longestLetter) continue;
    if (isFirst) decoder = markedDecoder(waiting, charset);
    isFirst = false;
    const at = waiting.findIndex((byte) => byte > 0x7f);
    if (!decoder && at !== -1 && waiting.length - at >= longestLetter) decoder = decoderOf(waiting.subarray(at));
    const text = decoder
      ? decode(decoder, waiting)
      : waiting.subarray(0, at === -1 ? undefined : at).toString('latin1');
    waiting = decoder || at === -1 ? Buffer.alloc(0) : waiting.subarray(at);
    yield text;
  }
  decoder ??= (isFirst ? markedDecoder(waiting, charset) : undefined) ?? decoderOf(waiting);
  yield decode(decoder, waiting);
  yield orProblem(decoder, (last) => last.decode());
}

/** @returns undefined when the bytes must show which encoding it is */
function markedDecoder(head: Uint8Array, charset: string | undefined): TextDecoder | undefined {
  const [a, b, c, d] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return strict('utf-8');
  if (a === 0xff && b === 0xfe) return strict('utf-16le');
  if (a === 0xfe && b === 0xff) return strict('utf-16be');
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) return strict(charset);
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return strict('utf-16le');
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return strict('utf-16be');
  return undefined;
}

function decoderOf(letters: Uint8Array): TextDecoder {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(letters, { stream: true });
    return strict('utf-8');
  } catch {
    return strict('windows-1252');
  }
}

function strict(label: string): TextDecoder {
  try {
    return new TextDecoder(label, { fatal: true });
  } catch {
    throw problem(`has the encoding "${label.slice(0, 40)}", which is not known. Send it as UTF-8`);
  }
}

const decode = (decoder: TextDecoder, part: Uint8Array) =>
  orProblem(decoder, (one) => one.decode(part, { stream: true }));

function orProblem(decoder: TextDecoder, run: (decoder: TextDecoder) => string): string {
  try {
    return run(decoder);
  } catch {
    throw problem(`is not ${decoder.encoding.toUpperCase()} throughout. Save it as UTF-8 and send it again`);
  }
}
