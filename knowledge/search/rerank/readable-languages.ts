import type { Language } from '../../../contract/rules/stems.ts';
import { languageOfQuery } from '../../../contract/rules/terms.ts';

/** From this part of Latin letters on, a text of unknown language counts as English: names and key words, mostly. */
const latinShare = 0.9;

/** Whether a reranker reads the language of a query. @param languages of the reranker; undefined: any */
export const readsQuery = (languages: readonly string[] | undefined, query: string): boolean =>
  reads(languages, languageOfQuery(query), query);

/** Whether a reranker reads the language of a passage. @param languages of the reranker; undefined: any */
export const readsPassage = (
  languages: readonly string[] | undefined,
  { language, text }: { language: Language; text: string },
): boolean => reads(languages, language, text);

function reads(languages: readonly string[] | undefined, language: Language, text: string): boolean {
  if (languages === undefined) return true;
  const likely = language ?? (isLatin(text) ? 'en' : null);
  return likely !== null && languages.includes(likely);
}

function isLatin(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{sc=Latin}/gu)?.length ?? 0;
  return latin >= latinShare * letters;
}
