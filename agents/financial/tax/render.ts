import { percent, plain } from './levy.ts';
import type { Assessment } from './calculate.ts';
import type { Levy, PlaceYear, Source } from './types.ts';

/** More places are shown without the lines of each tax: the whole answer stays readable. */
const mostInFull = 2;

/** The answer for people, in Markdown. */
export function renderAssessments(assessments: Assessment[]): string {
  const isFull = assessments.length <= mostInFull;
  return [
    ...(assessments.length > 1 ? [comparison(assessments)] : []),
    ...assessments.map((one) => (isFull ? inFull(one) : inShort(one))),
    notes(assessments),
    'This is a calculation from published rates, not tax advice.',
  ].join('\n\n');
}

function comparison(assessments: Assessment[]): string {
  const rows = assessments.map(({ place, total, net, effectiveRate, marginal }) => [
    `${place.name} ${place.year}`,
    amount(place, total),
    amount(place, net),
    rate(effectiveRate),
    rate(marginal.due.dividedBy(marginal.on)),
  ]);
  return table(['Place', 'Due', 'Left', 'Effective', 'Marginal'], rows);
}

function heading({ place, income }: Assessment): string {
  return `**${place.name}, ${place.year}** (${place.period}): income ${amount(place, income)}`;
}

function summary({ place, total, net, effectiveRate, marginal }: Assessment): string {
  return `Due in all: **${amount(place, total)}**, ${rate(effectiveRate)} of the income. Left: ${amount(place, net)}. Of the next ${plain(marginal.on)} ${place.currency}, ${plain(marginal.due)} would be due.`;
}

const inShort = (one: Assessment): string =>
  [heading(one), one.levies.map(({ name, amount: due }) => `- ${name}: ${amount(one.place, due)}`).join('\n')].join(
    '\n\n',
  );

const inFull = (one: Assessment): string =>
  [heading(one), table(['', one.place.currency], one.levies.flatMap(levyRows)), summary(one)].join('\n\n');

function levyRows({ name, base, taxable, parts, amount: due }: Levy): string[][] {
  const isPlain = base.length <= 1;
  return [
    ...(isPlain ? [] : base.map(({ label, amount: each }) => [label, plain(each)])),
    ...(isPlain ? [] : [[`Taxed: ${name}`, plain(taxable)]]),
    ...parts.map(({ label, amount: each }) => [label, plain(each)]),
    [`**${name}**`, `**${plain(due)}**`],
  ];
}

function notes(assessments: Assessment[]): string {
  const distinct = (lists: (readonly string[])[]) => [...new Set(lists.flat())];
  const assumes = distinct(assessments.map((one) => one.assumes));
  const leavesOut = distinct(assessments.map((one) => one.leavesOut));
  return [
    ...(assumes.length > 0 ? [`Taken for granted: ${assumes.join(' ')}`] : []),
    `Not included: ${leavesOut.join('; ')}.`,
    `Sources: ${sources(assessments.map(({ place }) => place))}.`,
  ].join('\n\n');
}

const sources = (places: PlaceYear[]): string =>
  [...new Set(places.flatMap((place) => place.sources).map(sourceText))].join('; ');

const sourceText = ({ name, date, url }: Source): string => `${url ? `[${name}](${url})` : name} (${date})`;

/** A rate sheet for people, in Markdown. What several places share, as the federal tax of a country, is shown once. */
export function renderRates(chosen: PlaceYear[]): string {
  const shown = new Set<string>();
  const isNew = (text: string) => !shown.has(text) && shown.add(text);
  return chosen
    .map((place) =>
      [
        `**${place.name}, ${place.year}** (${place.period}), in ${place.currency}`,
        ...place
          .rates()
          .map(
            ({ title, rows }) =>
              `${title}\n\n${table(
                ['', ''],
                rows.map((row) => [...row]),
              )}`,
          )
          .filter(isNew),
        `Sources: ${sources([place])}.`,
      ].join('\n\n'),
    )
    .join('\n\n');
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const ruler = line(head.map((_, index) => (index === 0 ? '---' : '---:')));
  return [line(head), ruler, ...rows.map(line)].join('\n');
}

const amount = ({ currency }: PlaceYear, value: Parameters<typeof plain>[0]): string => `${plain(value)} ${currency}`;
const rate = (value: Parameters<typeof plain>[0]): string => percent(value.toDecimalPlaces(4));

/** The same as data: amounts are texts with two decimals. */
export const toData = (assessments: Assessment[]) =>
  assessments.map(({ place, income, levies, total, net, effectiveRate, marginal, assumes, leavesOut }) => ({
    place: place.id,
    name: place.name,
    year: place.year,
    period: place.period,
    currency: place.currency,
    income: income.toFixed(2),
    levies: levies.map(({ name, kind, base, taxable, parts, amount: due }) => ({
      name,
      kind,
      base: base.map(toLine),
      taxable: taxable.toFixed(2),
      parts: parts.map(toLine),
      amount: due.toFixed(2),
    })),
    total: total.toFixed(2),
    net: net.toFixed(2),
    effectiveRate: effectiveRate.toFixed(6),
    marginal: { on: marginal.on.toFixed(2), due: marginal.due.toFixed(2) },
    assumes: [...assumes],
    leavesOut: [...leavesOut],
    sources: place.sources.map((source) => ({ ...source })),
  }));

const toLine = ({ label, amount: each }: Levy['parts'][number]) => ({ label, amount: each.toFixed(2) });
