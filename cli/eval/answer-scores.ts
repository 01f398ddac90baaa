import { defaultPassages } from '../../contract/documents.ts';
import type { EvaluatedAnswer } from './answers.ts';
import { bootstrap, type Interval } from './measures.ts';

type Outcome = (answer: EvaluatedAnswer) => boolean;

/** A share of the questions of a group. */
type Share = { what: string; of: (answer: EvaluatedAnswer) => boolean; by: Outcome };

const isIn = (group: EvaluatedAnswer['group']) => (answer: EvaluatedAnswer) => answer.group === group;
const hasTone =
  (tone: EvaluatedAnswer['tone']): Outcome =>
  (answer) =>
    !answer.failed && answer.tone === tone;
const hasFacts = (answer: EvaluatedAnswer) => answer.group === 'answerable' && answer.facts.length > 0;
const wasSearched = (answer: EvaluatedAnswer) => hasFacts(answer) && Boolean(answer.found);

const shares: Share[] = [
  { what: 'false “I don’t know”', of: isIn('answerable'), by: hasTone('left_open') },
  { what: 'right document cited', of: isIn('answerable'), by: (answer) => answer.citesDocument },
  { what: 'exact fact quoted', of: hasFacts, by: (answer) => answer.saysFact },
  {
    what: `right document among the ${defaultPassages} passages`,
    of: wasSearched,
    by: ({ found }) => found?.document === true,
  },
  {
    what: `exact fact among the ${defaultPassages} passages`,
    of: wasSearched,
    by: ({ found }) => found?.fact === true,
  },
  { what: 'answerable, offered as “may be related” only', of: isIn('answerable'), by: hasTone('hedged') },
  { what: 'off topic answered', of: isIn('off_topic'), by: hasTone('answered') },
  { what: 'off topic, offered as “may be related”', of: isIn('off_topic'), by: hasTone('hedged') },
  { what: 'near miss answered', of: isIn('near_miss'), by: hasTone('answered') },
  { what: 'near miss, offered as “may be related”', of: isIn('near_miss'), by: hasTone('hedged') },
  { what: 'tasks that failed', of: () => true, by: (answer) => answer.failed !== undefined },
];

/** Each score is a count, and the number that it is out of. Rows without questions are left out. */
export function scoreAnswers(answers: EvaluatedAnswer[]): Record<string, [number, number]> {
  const sum = (list: EvaluatedAnswer[], by: (answer: EvaluatedAnswer) => number): number =>
    list.reduce((total, answer) => total + by(answer), 0);
  const rows = shares.map(({ what, of, by }): [string, [number, number]] => {
    const group = answers.filter(of);
    return [what, [group.filter(by).length, group.length]];
  });
  const citing = answers.filter(({ citations }) => citations > 0);
  rows.splice(
    -1,
    0,
    [
      'citations whose quote stands at its place',
      [sum(answers, (answer) => answer.validCitations), sum(answers, (answer) => answer.citations)],
    ],
    [
      'sentences that carry a citation, of answers that cite',
      [sum(citing, (answer) => answer.supported), sum(citing, (answer) => answer.sentences)],
    ],
  );
  return Object.fromEntries(rows.filter(([, [, total]]) => total > 0));
}

/** @property difference of the shares, now less before, with its 95 % interval over the questions of both runs */
export type Comparison = { what: string; questions: number; before: number; now: number; difference: Interval };

/** Compares two runs question by question. Questions that only one of them has are left out. */
export function compareAnswers(before: EvaluatedAnswer[], now: EvaluatedAnswer[]): Comparison[] {
  const earlier = new Map(before.map((answer) => [keyOf(answer), answer]));
  const pairs = now.flatMap((answer) => {
    const other = earlier.get(keyOf(answer));
    return other ? [{ before: other, now: answer }] : [];
  });
  return shares.flatMap(({ what, of, by }) => {
    const group = pairs.filter((pair) => of(pair.before) && of(pair.now));
    if (group.length === 0) return [];
    const count = (run: 'before' | 'now') => group.filter((pair) => by(pair[run])).length;
    const difference = bootstrap(group.map((pair) => Number(by(pair.now)) - Number(by(pair.before))));
    return [{ what, questions: group.length, before: count('before'), now: count('now'), difference }];
  });
}

const keyOf = ({ corpus, question, history }: EvaluatedAnswer) => JSON.stringify([corpus, history ?? [], question]);
