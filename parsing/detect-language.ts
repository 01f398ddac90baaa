/** Enough text to detect a language, which takes under a millisecond. */
const sampleCharacters = 1_000;
/** Texts with fewer letters are mostly names, numbers and headings. */
const minLetters = 30;
/** A Chinese, Japanese or Korean character counts as three letters of an alphabet. */
const lettersPerIdeograph = 3;
/** The least difference between the scores of the best and second-best language, which are from 0 to 1. */
const minLead = 0.01;

/** Loaded when needed: its tables take 30 MB and half a second, and some processes only refuse files. */
const loadDetector = () => import('eld/extrasmall');

/**
 * The main language of a text as ISO 639-1 code, or null when it cannot be detected reliably. Samples the
 * beginning, the middle and the end, because a contract may begin with addresses and end with a glossary.
 */
export async function detectLanguage(text: string): Promise<string | null> {
  const last = text.length - sampleCharacters;
  const starts = last <= 2 * sampleCharacters ? [0] : [0, Math.floor(last / 2), last];
  const length = starts.length === 1 ? text.length : sampleCharacters;
  const votes = await Promise.all(starts.map((start) => detectInSample(text.slice(start, start + length))));
  const sure = votes.filter((vote) => vote !== null);
  return sure.find((vote) => sure.filter((other) => other === vote).length > sure.length / 2) ?? null;
}

async function detectInSample(sample: string): Promise<string | null> {
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  const ideographs =
    sample.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  if (letters + (lettersPerIdeograph - 1) * ideographs < minLetters) return null;
  const { eld } = await loadDetector();
  const result = eld.detect(sample);
  const [first = 0, second = 0] = Object.values(result.getScores());
  return result.isReliable() && first - second >= minLead ? result.language : null;
}
