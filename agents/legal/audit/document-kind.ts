import type { DocumentKind } from '../data/read-checklists.ts';
import type { Finder, Signal } from '../text/signals.ts';

/** Signals of each kind of document, and how much a sentence with one of them counts. */
const kinds: Record<DocumentKind, { signal: Signal; weight: number }[]> = {
  notice: [
    { signal: 'privacy policy|privacy notice|privacy statement|notice of privacy practices|data protection notice', weight: 2 },
    { signal: 'we|us|our + you|your + information|data|detail|record', weight: 1 },
    { signal: 'your + right|choice|consent|browser|device|health|medical', weight: 1 },
  ],
  agreement: [
    { signal: '=controller|=processor|sub-processor|business associate|covered entity|service provider + shall|must|will', weight: 2 },
    { signal: 'data processing agreement|data processing addendum|business associate agreement|hereinafter|hereby', weight: 3 },
    { signal: 'party|parties + agreement|shall|agree', weight: 1 },
  ],
  policy: [
    { signal: 'policy|standard|procedure + applies|scope|employee|staff|personnel|all|owner', weight: 2 },
    { signal: 'employee|staff|personnel|contractor|manager|department|team|officer|users + must|shall|is|are|responsible|may', weight: 1 },
    { signal: 'system|account|access|server|network|log|backup|password|journal|control + must|shall|is|are|may', weight: 1 },
  ],
};

/**
 * The kind that a document is most like by its words.
 *
 * @param among kinds that a framework has requirements for
 * @returns undefined when the document is like none of them
 */
export function documentKindOf(finder: Finder, among: readonly DocumentKind[]): DocumentKind | undefined {
  const scores = among.map((kind) => {
    const score = kinds[kind].reduce((sum, { signal, weight }) => sum + weight * finder.find(signal).length, 0);
    return { kind, score };
  });
  const [best] = scores.sort((a, b) => b.score - a.score);
  return best && best.score > 0 ? best.kind : undefined;
}
