import { readFileSync } from 'node:fs';
import { TaxInput, placeIds, type PlaceId } from '../../../agents/financial/intents.ts';
import { calculate } from '../../../agents/financial/tax/calculate.ts';
import { places } from '../../../agents/financial/tax/places/index.ts';
import type { PlaceYear } from '../../../agents/financial/tax/types.ts';

type Example = { source: string; input: { places: PlaceId[]; year: string }; amounts: Record<string, number> };

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const examples = JSON.parse(textOf('../../agents/financial/published-examples.json')) as Example[];

/** The reference page of the tax tables. What stands in the tables is written by code, the rest is in `parts/`. */
export function coveragePage(): string {
  return `${[
    textOf('parts/introduction.md').trim(),
    '## What there is',
    yearsTable(),
    '## Sources, place by place',
    ...placeIds.map(placeSection),
    textOf('parts/comparison.md').trim(),
  ].join('\n\n')}\n`;
}

function yearsTable(): string {
  const rows = placeIds.flatMap((id) =>
    places[id].map((place) => [
      `\`${id}\``,
      `${place.name} ${place.year}`,
      taxesOf(place),
      place.corporation ? 'yes' : 'no',
      String(countOf(id, place.year) || 'none found'),
    ]),
  );
  return table(['id', 'place and tax year', 'for an individual', 'corporations', 'published amounts in tests'], rows);
}

/** The names of what is worked out for a wage of 100,000. */
const taxesOf = ({ id, year }: PlaceYear): string =>
  calculate(TaxInput.parse({ places: [id], year, income: 100_000 }))
    .flatMap(({ levies }) => levies.map(({ name }) => name))
    .join(', ');

const countOf = (id: PlaceId, year: string): number =>
  examples
    .filter(({ input }) => input.places[0] === id && input.year === year)
    .reduce((count, { amounts }) => count + Object.keys(amounts).length, 0);

const publishedFor = (id: PlaceId): string[] => [
  ...new Set(examples.filter(({ input }) => input.places[0] === id).map(({ source }) => source)),
];

function placeSection(id: PlaceId): string {
  const years = places[id];
  const [latest] = years.slice(-1);
  if (!latest) return '';
  const published = publishedFor(id);
  const cliffs = [...new Set(years.flatMap((year) => year.cliffs().map(({ why }) => why)))];
  return [
    `### ${latest.name}`,
    ...years.map(
      ({ year, period, sources }) =>
        `- **${year}** (${period}): ${sources.map(({ name, date }) => `${name} (${date})`).join('; ')}.`,
    ),
    '',
    `Taken for granted: ${latest.assumes.join(' ')}`,
    '',
    `Not included: ${latest.leavesOut.join('; ')}.`,
    ...(latest.corporation
      ? ['', `Not included for corporations: ${latest.corporationLeavesOut.join('; ') || 'nothing'}.`]
      : ['', `Corporations are refused: ${latest.noCorporation}.`]),
    ...(cliffs.length > 0 ? ['', `The tax jumps where ${cliffs.join('; ')}.`] : []),
    '',
    published.length > 0 ? `Published amounts: ${published.join('; ')}.` : 'No published amounts were found.',
  ].join('\n');
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
