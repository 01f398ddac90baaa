import type { RankedPassage } from '../../../contract/documents.ts';
import type { FoundCode } from '../passage-index.ts';
import type { Verdict } from './judge-evidence.ts';

type Judged = Verdict & { passages: RankedPassage[] };

/**
 * Lowers a verdict when a code of the query stands in no passage: a passage about `PPR-9087` is near to a question
 * about `PPR-9999` in every other word, and does not answer it. Only passages with one of the codes are close then.
 */
export function judgeCodes<T extends Judged>(judged: T, codes: FoundCode[]): T & { unknownCodes?: string[] } {
  const unknownCodes = codes.filter(({ holders }) => holders.length === 0).map(({ code }) => code);
  if (unknownCodes.length === 0) return judged;
  const holders = new Set(codes.flatMap((code) => code.holders));
  const passages = judged.passages.map((passage) =>
    holders.has(passage.chunkId) ? passage : { ...passage, match: 'loose' as const },
  );
  const evidence = judged.evidence === 'strong' ? 'weak' : judged.evidence;
  const evidenceReason = `${judged.evidenceReason} And no passage holds ${unknownCodes.join(' or ')}.`;
  return { ...judged, passages, unknownCodes, evidence, evidenceReason };
}
