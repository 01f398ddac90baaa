import type { DocumentKind } from '../data/read-checklists.ts';
import type { LegalText } from '../text/legal-text.ts';
import type { Finder, Signal } from '../text/signals.ts';

/** What the beginning of a document says that it is, and signals of its sentences, each counted once a sentence. */
const kinds: Record<DocumentKind, { title: RegExp; signals: Signal[] }> = {
  notice: {
    title:
      /privacy (?:policy|notice|statement)|notice of privacy|^\W*privacy\W*$|your (?:privacy|data|information)|data protection (?:notice|information)/im,
    signals: ['=we|=us|=our + =you|=your', '=your + right|choice|consent|browser|device|data|information|account'],
  },
  agreement: {
    title: /\b(?:agreement|addendum|contract|terms of processing)\b/i,
    signals: [
      '=processor|=controller|sub-processor|business associate|covered entity|service provider|=business + shall|must|will|may|not|process|notifies|notify|data|information',
      'hereinafter|hereby|=party|=parties',
    ],
  },
  policy: {
    title: /\b(?:policy|policies|standard|procedure|manual|handbook|controls?|programme|program|guideline)\b/i,
    signals: [
      'policy|standard|procedure + applies|scope|owner|approved',
      'employee|staff|personnel|contractor|manager|department|team|officer|users|workforce + must|shall|are|is|may|responsible',
      'system|account|access|server|network|log|backup|password|journal|control|patch + must|shall|are|is',
    ],
  },
};

/** Sentences of a signal that the title is worth. */
const titleWeight = 12;
/** How much of a document is its beginning, in characters. */
const beginning = 400;

/**
 * The kind that a document is most like: by its title, and by its words.
 *
 * @param among kinds that a framework has requirements for
 * @returns undefined when the document is like none of them
 */
export function documentKindOf(
  { text }: LegalText,
  finder: Finder,
  among: readonly DocumentKind[],
): DocumentKind | undefined {
  const scores = among.map((kind) => {
    const { title, signals } = kinds[kind];
    const sentences = new Set(signals.flatMap((signal) => finder.find(signal))).size;
    return { kind, score: sentences + (title.test(text.slice(0, beginning)) ? titleWeight : 0) };
  });
  const [best] = scores.sort((a, b) => b.score - a.score);
  return best && best.score > 0 ? best.kind : undefined;
}
