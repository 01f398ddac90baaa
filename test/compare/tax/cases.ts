import { TaxInput, type PlaceId } from '../../../agents/financial/intents.ts';
import { calculate } from '../../../agents/financial/tax/calculate.ts';
import { places } from '../../../agents/financial/tax/places/index.ts';

const casesAPlace = 200;

const compared: Partial<Record<PlaceId, readonly string[]>> = {
  us: ['2024', '2025', '2026'],
  'us-ca': ['2024', '2025'],
  'us-ny': ['2024', '2025'],
  gb: ['2024-25', '2025-26', '2026-27'],
  'gb-sct': ['2024-25', '2025-26', '2026-27'],
  de: ['2024', '2025', '2026'],
  fr: ['2023', '2024', '2025'],
  jp: ['2025'],
};

/** Below them jobs pay reduced contributions, which the tables leave out. */
const leastWages: Partial<Record<PlaceId, number>> = { de: 24_001 };

/** A linear congruential generator: the same numbers everywhere. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Incomes of every size: half of them up to 80,000, the others up to two million, in units of the currency. */
function casesOf(place: PlaceId, year: string) {
  const random = createRandom([...`${place}${year}`].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) >>> 0);
  const known = places[place].find((one) => one.year === year);
  if (!known) throw new Error(`no table of ${place} ${year}`);
  const unit = known.currency === 'JPY' ? 100 : 1;
  const least = leastWages[place] ?? 0;
  return Array.from({ length: casesAPlace }, () => {
    const top = random() < 0.5 ? 80_000 : random() < 0.8 ? 400_000 : 2_000_000;
    const wages = (least + Math.round(random() * top)) * unit;
    const statuses = known.uses.includes('status') ? (['single', 'married', 'head'] as const) : (['single'] as const);
    const status = statuses[Math.floor(random() * statuses.length)] ?? 'single';
    const children = known.uses.includes('children') && status !== 'single' ? 1 + Math.floor(random() * 3) : 0;
    const partnerIncome = status === 'married' && random() < 0.5 ? (least + Math.round(random() * 80_000)) * unit : 0;
    const input = { places: [place], year, income: wages, status, children, partnerIncome };
    const [assessed] = calculate(TaxInput.parse(input));
    const levies = Object.fromEntries((assessed?.levies ?? []).map(({ name, amount }) => [name, amount.toNumber()]));
    return { wages, partnerWages: partnerIncome, status, children, levies };
  });
}

/**
 * Random cases with what the tax engine makes of them: what `compare.py` asks other engines about. They are the same in
 * every run.
 */
export const allCases = () =>
  Object.entries(compared).flatMap(([place, years]) =>
    years.map((year) => ({ place, year, cases: casesOf(place as PlaceId, year) })),
  );
