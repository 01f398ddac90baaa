import type { Checklist, Requirement } from '../data/read-checklists.ts';
import { stemsIn } from '../text/legal-text.ts';

/** Words of a question that name no subject. */
const empty = new Set(
  stemsIn(
    'what does do require requires requirement about under say says for of on in to is are and or how must we our us need needs rule rules company should when which article art section sec control our with it that there by as be at from any',
  ),
);

/** Words that people use for the same thing. */
const synonyms: readonly (readonly string[])[] = [
  ['erasure', 'delete', 'deletion', 'erase', 'forgotten'],
  ['retention', 'storage', 'store', 'keep', 'period', 'retain'],
  ['breach', 'incident', 'leak'],
  ['vendor', 'supplier', 'processor', 'third-party', 'provider'],
  ['password', 'credential', 'authentication'],
  ['encryption', 'encrypt', 'cryptography', 'unreadable'],
  ['dpo', 'officer'],
  ['dpia', 'impact', 'assessment'],
  ['minor', 'child', 'children'],
  ['mfa', 'multi-factor', 'two-factor'],
  ['log', 'logging', 'audit'],
  ['fee', 'charge', 'cost', 'free'],
  ['international', 'transfer', 'third-country', 'countries'],
  ['opt-out', 'sale', 'sell', 'opt'],
  ['access', 'copy', 'know'],
  ['patch', 'vulnerability', 'update'],
  ['whistleblower', 'retaliate', 'complaint'],
];
const synonymsOf = new Map<string, Set<string>>();
for (const group of synonyms) {
  const stems = group.flatMap(stemsIn);
  for (const stem of stems) synonymsOf.set(stem, new Set([...(synonymsOf.get(stem) ?? []), ...stems]));
}

/** A title counts more than what a requirement asks for, and that more than signals. */
const weights = { title: 3, asks: 2, evidence: 1 } as const;

export type FoundRequirement = { requirement: Requirement; score: number; matched: string[] };

/**
 * The requirements of a framework that a question is about, best first: by number, else by words. A rare word counts
 * more.
 *
 * @returns those that come near to the best; none when no word of the question is known
 */
export function searchRequirements({ requirements }: Checklist, question: string): FoundRequirement[] {
  const byNumber = numbersIn(question);
  const numbered = requirements.filter(({ ref }) => byNumber.some((number) => hasNumber(ref, number)));
  if (numbered.length > 0)
    return numbered.map((requirement) => ({ requirement, score: 1, matched: [requirement.ref] }));
  const asked = [...new Set(stemsIn(question))].filter((stem) => !empty.has(stem));
  const fields = requirements.map(({ title, asks, evidence, breach }) => ({
    title: new Set(stemsIn(title)),
    asks: new Set(stemsIn(asks)),
    evidence: new Set([...evidence, ...breach].flatMap(stemsIn)),
  }));
  const rarityOf = (stem: string) => {
    const holders = fields.filter((field) => Object.values(field).some((stems) => stems.has(stem))).length;
    return holders === 0 ? 0 : Math.log(1 + requirements.length / holders);
  };
  const scored = requirements.map((requirement, i): FoundRequirement => {
    const field = fields[i];
    const matched: string[] = [];
    let score = 0;
    for (const stem of asked) {
      const forms = [stem, ...(synonymsOf.get(stem) ?? [])];
      const best = Math.max(
        ...forms.map((form, k) => {
          const weight = (Object.keys(weights) as (keyof typeof weights)[]).find((name) => field?.[name].has(form));
          return weight === undefined ? 0 : weights[weight] * rarityOf(form) * (k === 0 ? 1 : 0.7);
        }),
      );
      if (best > 0) matched.push(stem);
      score += best;
    }
    return { requirement, score, matched };
  });
  const [best] = scored.sort((a, b) => b.score - a.score);
  if (!best || best.score < 1.5) return [];
  return scored.filter(({ score }) => score >= best.score * 0.5).slice(0, 8);
}

/** Numbers of articles, sections and controls in a question, as `13(2)(a)`, `164.312`, `A.8.13`. */
const numbersIn = (question: string): string[] =>
  [...question.matchAll(/\b(?:A\.)?\d+(?:\.\d+)*(?:\(\w+\))*/g)]
    .map(([number]) => number.toLowerCase())
    .filter((number) => !/^(?:19|20)\d\d$/.test(number));

/** Whether a number is one of a requirement, or the article that it belongs to. */
function hasNumber(ref: string, number: string): boolean {
  const numbers = [...ref.toLowerCase().matchAll(/(?:a\.)?\d+(?:\.\d+)*(?:\(\w+\))*/g)].map(([one]) => one);
  return numbers.some((one) => one === number || one.startsWith(`${number}(`) || one.startsWith(`${number}.`));
}
