/** This much of a text shows its language, in under a millisecond. */
const sampleCharacters = 1_000;
/** A text with fewer letters is names, numbers and headings. */
const minLetters = 30;
/** A Chinese, Japanese or Korean letter says as much as three of an alphabet. */
const lettersInOne = 3;
/** How far ahead of the next one a language has to be, on the library's scale from 0 to 1. */
const minLead = 0.01;

/** Its tables take 30 MB and half a second, which a thread that only refuses files need not spend. */
const detector = () => import('eld/extrasmall');

/**
 * The language that most of a text is in, as ISO 639-1 code, or null when that is not sure. Looks at the beginning, the
 * middle and the end: a contract may open with addresses and close with a glossary.
 */
export async function languageOf(text: string): Promise<string | null> {
  const last = text.length - sampleCharacters;
  const starts = last <= 2 * sampleCharacters ? [0] : [0, Math.floor(last / 2), last];
  const length = starts.length === 1 ? text.length : sampleCharacters;
  const votes = await Promise.all(starts.map((start) => languageOfSample(text.slice(start, start + length))));
  const sure = votes.filter((vote) => vote !== null);
  return sure.find((vote) => sure.filter((other) => other === vote).length > sure.length / 2) ?? null;
}

async function languageOfSample(sample: string): Promise<string | null> {
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  const ideographs =
    sample.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  if (letters + (lettersInOne - 1) * ideographs < minLetters) return null;
  const { eld } = await detector();
  const found = eld.detect(sample);
  const [first = 0, second = 0] = Object.values(found.getScores());
  return found.isReliable() && first - second >= minLead ? found.language : null;
}
