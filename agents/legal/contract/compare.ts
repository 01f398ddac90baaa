import { createPause } from '../../../runtime/create-pause.ts';
import type { Topic } from '../data/read-contract-data.ts';
import { stemsIn, type LegalText, type Unit } from '../text/legal-text.ts';
import { fitsUnit, placesIn, quantitiesIn, type Quantity, type QuantityUnit } from '../text/quantities.ts';
import type { Finder } from '../text/signals.ts';
import type { Side } from './parties.ts';
import type { Position } from './playbook.ts';

export type Verdict = 'preferred' | 'fallback' | 'deviation' | 'red-line';

/** A quantity of a contract that was compared with a position. `wanted`: how the playbook writes the preferred one. */
export type Comparison = { unit: Unit; quantity: Quantity; verdict: Verdict; wanted: string; rule: string };

const isPlace = (kind: QuantityUnit): kind is 'law' | 'court' => kind === 'law' || kind === 'court';

/** Most quantities that are compared with one row of a playbook. */
const maxCompared = 200;

type Direction = 'higher' | 'lower';

/** The quantities of a topic's clauses, compared with the company's position. */
export async function compareQuantities(
  { text }: LegalText,
  finder: Finder,
  { topic, located, position, side }: { topic: Topic; located: Unit[]; position: Position; side: Side },
): Promise<Comparison[]> {
  const pause = createPause();
  const compared: Comparison[] = [];
  const starts = new Set<number>();
  for (const { unit: kind, near } of topic.measure) {
    const limits = limitsOf(position, kind);
    if (!limits) continue;
    const units = new Set(near.flatMap((signal) => finder.find(signal, { inHeadings: true })));
    for (const unit of located.filter((one) => units.has(one))) {
      await pause();
      for (const found of quantitiesOf(text.slice(unit.start, unit.end), kind)) {
        const quantity = { ...found, start: unit.start + found.start, end: unit.start + found.end };
        if (starts.has(quantity.start)) continue;
        if (compared.length >= maxCompared) return compared;
        starts.add(quantity.start);
        const { verdict, rule } = isPlace(kind)
          ? judgePlace(quantity, position)
          : judge(quantity, limits, directionOf(position, limits, topic.worse[side]));
        compared.push({ unit, quantity, verdict, wanted: wantedOf(limits, position), rule });
      }
    }
  }
  return compared;
}

/** The quantities of one kind that a text names. Months and years count as days only where no days are named. */
function quantitiesOf(text: string, kind: QuantityUnit): Quantity[] {
  const found = (isPlace(kind) ? placesIn(text, kind) : quantitiesIn(text)).filter((quantity) =>
    fitsUnit(quantity, kind),
  );
  const short = found.filter(({ isLong }) => !isLong);
  return kind === 'days' && short.length > 0 ? short : found;
}

/** How the playbook writes what it wants; words where the preferred position has no quantity. */
const wantedOf = ({ preferred, fallback }: Limits, position: Position): string =>
  preferred?.text ?? fallback?.text ?? position.preferred;

type Limits = { preferred: Quantity | undefined; fallback: Quantity | undefined; redLine: Quantity | undefined };

function limitsOf({ preferred, fallback, redLine }: Position, kind: QuantityUnit): Limits | undefined {
  if (isPlace(kind)) {
    const text = preferred.trim();
    return text === '' ? undefined : { preferred: { ...noQuantity, text }, fallback: undefined, redLine: undefined };
  }
  const first = (cell: string) => quantitiesOf(cell, kind)[0];
  const limits = { preferred: first(preferred), fallback: first(fallback), redLine: first(redLine) };
  return Object.values(limits).some((limit) => limit !== undefined) ? limits : undefined;
}

const noQuantity: Quantity = { start: 0, end: 0, unit: 'law', value: 0, text: '', isLong: false };

const higherWords = /more than|longer|above|over|exceed|greater|later|beyond|higher|or more/i;
const lowerWords = /less than|shorter|below|under|fewer|lower|earlier|or less/i;

/** Which direction is worse: as the red line says, else as the fallback shows, else as the topic has it. */
function directionOf(
  { redLine, preferred }: Position,
  limits: Limits,
  usual: Direction | undefined,
): Direction | undefined {
  if (higherWords.test(redLine)) return 'higher';
  if (lowerWords.test(redLine)) return 'lower';
  const [best, second] = [limits.preferred, limits.fallback, limits.redLine].filter((limit) => limit !== undefined);
  if (best && second && second.value !== best.value) return second.value > best.value ? 'higher' : 'lower';
  if (/at most|no more than|up to|maximum|not exceed|within/i.test(preferred)) return 'higher';
  if (/at least|no less than|minimum/i.test(preferred)) return 'lower';
  return usual;
}

function judge({ value }: Quantity, limits: Limits, worse: Direction | undefined): { verdict: Verdict; rule: string } {
  const isWithin = (limit: Quantity) => (worse === 'higher' ? value <= limit.value : value >= limit.value);
  const { preferred, fallback, redLine } = limits;
  if (preferred && (value === preferred.value || (worse && isWithin(preferred))))
    return { verdict: 'preferred', rule: 'within the preferred position' };
  if (worse && redLine && !isWithin(redLine))
    return { verdict: 'red-line', rule: `beyond the red line, ${redLine.text}` };
  if (fallback && (value === fallback.value || (worse && isWithin(fallback))))
    return { verdict: 'fallback', rule: `within the fallback, ${fallback.text}, and not the preferred position` };
  const named = [preferred, fallback].flatMap((limit) => (limit ? [limit.text] : []));
  return {
    verdict: 'deviation',
    rule: `not within what the playbook takes${named.length > 0 ? ` (${named.join('; ')})` : ''}`,
  };
}

function judgePlace(
  { text }: Quantity,
  { preferred, fallback, redLine }: Position,
): { verdict: Verdict; rule: string } {
  const names = (cell: string) => cell.toLowerCase().includes(text.toLowerCase());
  if (names(preferred)) return { verdict: 'preferred', rule: 'the preferred place' };
  if (names(fallback)) return { verdict: 'fallback', rule: 'a place of the fallback' };
  if (names(redLine)) return { verdict: 'red-line', rule: 'a place of the red line' };
  return { verdict: 'deviation', rule: 'a place that the playbook does not name' };
}

/** Words that say nothing of a position. */
const empty = new Set(
  stemsIn(
    'any no not our we us shall must may will be is are of for to in on at with by without or and than that it its this party parties other agreement contract accept anything only their them all',
  ),
);

/** The telling words of a phrase, as stems. */
const tellingStems = (phrase: string): string[] => [...new Set(stemsIn(phrase))].filter((stem) => !empty.has(stem));

/**
 * Tells which part of a red line a sentence crosses: one without a number, most of whose telling words stand in the
 * sentence.
 */
export function createRedLine(redLine: string): (sentence: readonly string[]) => string | undefined {
  const parts = redLine
    .split(/;|,? or |, /)
    .map((part) => ({ part: part.trim(), telling: tellingStems(part) }))
    .filter(({ part, telling }) => telling.length >= 2 && quantitiesIn(part).length === 0);
  return (sentence) => {
    const words = new Set(sentence);
    const isCrossed = ({ telling }: (typeof parts)[number]) =>
      telling.filter((stem) => words.has(stem)).length >= Math.max(2, Math.ceil(telling.length * 0.8));
    return parts.find(isCrossed)?.part;
  };
}

const acceptance = /accept|allowed|fine|no position|agreed|permitted/i;

/** Whether a position takes what a clause does: it accepts, and shares a telling word with the clause's description. */
export const accepts = ({ preferred, fallback }: Position, description: string): boolean =>
  [preferred, fallback].some(
    (cell) =>
      acceptance.test(cell) &&
      !/not|never|no /i.test(cell) &&
      tellingStems(cell).some((stem) => stemsIn(description).includes(stem)),
  );
