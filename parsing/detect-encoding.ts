import { analyse } from 'chardet';
import { decodeAs } from './decode-bytes.ts';

/** The detector's statistics do not get better with more. */
const sampleBytes = 64_000;
/** Its confidence from 0 to 100. It gives 10 to every multi-byte encoding in which a text is merely valid. */
const minConfidence = 25;
/** The least lead over the next encoding that would give another text. */
const minLead = 5;
/** A Western text may be taken for another of the same alphabet by this much. */
const westernTolerance = 25;

/** Letters and signs of Western European languages and of typography. Others of windows-1252 hardly ever occur. */
const westernSigns = /^[äöüÄÖÜßẞéèêëÉÈÊàâáÀÂÁçÇîïíìÎÍôóòÓÔûùúÙÚñÑåÅæÆøØœŒ¿¡«»°§€£–—“”„‘’‚…•·©®™²³µ½¼ªº\u00a0´×±]*$/u;

/**
 * The encoding of a text that is not UTF-8 and says nothing about it.
 *
 * @returns undefined when nothing shows it: a wrong guess would give wrong words, and readers would not notice
 */
export function detectEncoding(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, sampleBytes);
  const candidates = analyse(sample)
    .map(({ name, confidence }) => ({ encoding: name === 'ISO-8859-1' ? 'windows-1252' : name, confidence }))
    .filter(({ encoding }) => encoding !== 'ASCII' && !encoding.startsWith('UTF'))
    .flatMap(({ encoding, confidence }) => {
      const text = decodeAs(bytes, encoding);
      return text === undefined || hasStrangeCharacters(text) ? [] : [{ encoding, confidence, text }];
    });
  const [best] = candidates;
  const western = decodeAs(bytes, 'windows-1252');
  const isWestern = western !== undefined && resemblesWestern(western);
  const westernConfidence = candidates.find(({ encoding }) => encoding === 'windows-1252')?.confidence ?? 0;
  if (isWestern && (best?.confidence ?? 0) - westernConfidence <= westernTolerance) return 'windows-1252';
  if (!best || best.confidence < minConfidence) return undefined;
  const other = candidates.find(({ text }) => text !== best.text);
  return best.confidence - (other?.confidence ?? 0) >= minLead ? best.encoding : undefined;
}

/** In Western words at most two letters in a row have a mark. */
const resemblesWestern = (text: string) =>
  (text.match(/[^\u0000-\u007f]{1,8}/g) ?? []).every((run) => run.length <= 3 && westernSigns.test(run)) &&
  (text.match(/[^\u0000-\u007f]/g)?.length ?? 0) <= (text.match(/[a-z]/gi)?.length ?? 0);

const hasStrangeCharacters = (text: string) => /[\u0080-\u009f\ufffd\p{Co}\p{Cn}]/u.test(text.slice(0, sampleBytes));

/** Scripts that occur together in one text. */
const scripts = [
  /[\p{Script=Latin}\p{N}\p{P}\p{Zs}\r\n\t]/u,
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef]/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /[\p{Script=Arabic}\p{Script=Hebrew}]/u,
];

/**
 * Recognises UTF-16 that has lost its byte order mark: its zero bytes show the order, and read in it, it is a text of
 * one or two scripts.
 */
export function utf16WithoutMark(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const sample = bytes.subarray(0, 4_000);
  if (bytes.length % 2 !== 0 || (!sample.includes(0) && decodeAs(bytes, 'utf-8') !== undefined)) return undefined;
  const shares = { 'utf-16le': textShare(sample, 'utf-16le'), 'utf-16be': textShare(sample, 'utf-16be') };
  const likelier = byZeros(sample) ?? (shares['utf-16le'] > shares['utf-16be'] ? 'utf-16le' : 'utf-16be');
  if (shares[likelier] < 0.97) return undefined;
  if (sample.includes(0)) return likelier;
  // A text without any is Chinese or Japanese, with its own signs.
  const signs = decodeAs(sample, likelier)?.match(/[\u3000-\u30ff]/g)?.length ?? 0;
  return signs > sample.length / 20 && Math.abs(shares['utf-16le'] - shares['utf-16be']) >= 0.2 ? likelier : undefined;
}

/** The upper byte of each Latin letter, space, digit and line break is zero. */
function byZeros(sample: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const zeros = [0, 0];
  for (const [index, byte] of sample.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  return even === odd ? undefined : even > odd ? 'utf-16be' : 'utf-16le';
}

/** The share of characters that are of the two most frequent scripts. */
function textShare(sample: Uint8Array, encoding: string): number {
  const text = decodeAs(sample, encoding);
  if (!text || /[\u0000-\u0008\u000e-\u001f\p{Co}\p{Cn}]/u.test(text)) return 0;
  const characters = [...text];
  const counts = scripts.map((script) => characters.filter((character) => script.test(character)).length);
  const [first = 0, second = 0] = counts.sort((a, b) => b - a);
  return (first + second) / characters.length;
}
