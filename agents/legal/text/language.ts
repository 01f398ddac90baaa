/** How much of a document is read for its language: pieces of this length, at most so many. */
const pieceCharacters = 800;
const maxPieces = 40;
/** Pieces with fewer letters are mostly names and numbers. */
const minLetters = 60;
/** The part of the pieces whose language is known that must be English. */
const minEnglish = 0.6;

/** `english`: the part of the document that is English, 0 to 1. `others`: the other languages, as ISO 639-1 codes. */
export type Languages = { isCovered: boolean; english: number; others: string[] };

/** Which languages a document is written in, by pieces that are spread over it. */
export async function languagesOf(text: string): Promise<Languages> {
  const { eld } = await import('eld/extrasmall');
  const count = Math.min(maxPieces, Math.max(1, Math.floor(text.length / pieceCharacters)));
  const step = text.length / count;
  const found = Array.from({ length: count }, (_, i) =>
    text.slice(Math.floor(i * step), Math.floor(i * step) + pieceCharacters),
  )
    .filter((piece) => (piece.match(/\p{L}/gu)?.length ?? 0) >= minLetters)
    .map((piece) => eld.detect(piece))
    .filter((detected) => detected.isReliable())
    .map(({ language }) => language);
  const english = found.length === 0 ? 1 : found.filter((language) => language === 'en').length / found.length;
  const others = [...new Set(found.filter((language) => language !== 'en'))];
  return { isCovered: english >= minEnglish, english, others };
}
