import { typedTool } from '../../tools/typed-tool.ts';
import { RatesInput } from '../intents.ts';
import { chooseYears } from '../tax/choose-years.ts';
import { renderRates } from '../tax/render.ts';

const description = `Shows brackets, allowances, contributions and rates of one place or several in a tax year, each with its source.
It returns \`answer\`, a text for people, and \`data\` with the same. A place or year without a table is refused with those that there are.`;

/** Rate sheets from the tables of \`tax/tables/\`. */
export const showRatesTool = typedTool({
  name: 'show_rates',
  description,
  answers: true,
  input: RatesInput,
  async run({ places, year }) {
    const chosen = chooseYears(places, year);
    return {
      output: {
        answer: renderRates(chosen),
        data: chosen.map((place) => ({
          place: place.id,
          name: place.name,
          year: place.year,
          period: place.period,
          currency: place.currency,
          sections: place.rates().map(({ title, rows }) => ({ title, rows: rows.map((row) => [...row]) })),
          sources: place.sources.map((source) => ({ ...source })),
        })),
      },
      summary: chosen.map(({ name, year: taken }) => `${name} ${taken}`).join('; '),
    };
  },
});
