import type { RankedPassage } from '../../../contract/documents.ts';
import { queryWords, termSet } from '../../../contract/rules/terms.ts';
import type { FoundCode } from '../passage-index.ts';
import type { Verdict } from './judge-evidence.ts';

type Judged = Verdict & { passages: RankedPassage[] };

/**
 * Lowers a verdict when a code of the query stands in no passage: a passage about `PPR-9087` is near to a question
 * about `PPR-9999` in every other word, and does not answer it. Only passages that show one of the codes are close.
 */
export function judgeCodes<T extends Judged>(judged: T, codes: FoundCode[]): T & { unknownCodes?: string[] } {
  const unknownCodes = codes.filter(({ holders }) => holders.length === 0).map(({ code }) => code);
  if (unknownCodes.length === 0) return judged;
  const known = codes.filter(({ holders }) => holders.length > 0).flatMap(({ code }) => termsOfCode(code));
  const passages = judged.passages.map((passage) =>
    showsOneOf(known, passage) ? passage : { ...passage, match: 'loose' as const },
  );
  const evidence = judged.evidence === 'strong' ? 'weak' : judged.evidence;
  const evidenceReason = `${judged.evidenceReason} And no passage holds ${unknownCodes.join(' or ')}.`;
  return { ...judged, passages, unknownCodes, evidence, evidenceReason };
}

const termsOfCode = (code: string): string[] =>
  queryWords(code, []).flatMap(({ kind, terms }) => (kind === 'word' ? [] : terms));

/** By its text, not by its id: a passage may join several chunks or show a part of one. */
function showsOneOf(codeTerms: string[], { title, headingPath, text }: RankedPassage): boolean {
  if (codeTerms.length === 0) return false;
  const shown = termSet([title, ...headingPath, text].join('\n'), null);
  return codeTerms.some((term) => shown.has(term));
}
