import { typedTool } from '../../tools/typed-tool.ts';
import { TaxInput } from '../intents.ts';
import { calculate } from '../tax/calculate.ts';
import { plain } from '../tax/levy.ts';
import { renderAssessments, toData } from '../tax/render.ts';
import { textArtifact } from './render.ts';

const description = `Works out what is due on an income of one year: income tax and the employee's contributions, or the tax of a corporation, for one place or several, from published tables.
It returns \`answer\`, a text for people with every line of the calculation, what is taken for granted, what is not included and the sources, and \`data\` with the same; of several places data has the sums, and calculation.json the rest.
Amounts are in the currency of the place, and nothing is converted. A place or year without a table is refused with those that there are.`;

/** Of an answer and its data: some models read no more at once. */
const mostCharacters = 5_000;
const file = 'calculation.json';

type Whole = ReturnType<typeof toData>;

/** The data, without what the answer says too as far as it is too long. */
function fittingData(whole: Whole, most: number) {
  const withLines = whole.map(({ sources: _, assumes: _a, leavesOut: _l, ...rest }) => rest);
  const withTaxes = withLines.map(({ levies, ...rest }) => ({
    ...rest,
    levies: levies.map(({ name, kind, amount }) => ({ name, kind, amount })),
  }));
  const sums = withLines.map(({ levies: _, ...rest }) => rest);
  return [whole, withLines, withTaxes].find((data) => JSON.stringify(data).length + 50 <= most) ?? sums;
}

/** Taxes from the tables of `tax/tables/`. */
export const calculateTaxTool = typedTool({
  name: 'calculate_tax',
  description,
  answers: true,
  input: TaxInput,
  async run(input) {
    const assessments = calculate(input);
    const due = assessments.map(({ place, total }) => `${place.id} ${place.year}: ${plain(total)} ${place.currency}`);
    const answer = renderAssessments(assessments);
    const whole = toData(assessments);
    const data = fittingData(whole, mostCharacters - JSON.stringify(answer).length);
    const isWhole = data === whole;
    return {
      output: { answer: isWhole ? answer : `${answer}\n\nFiles: ${file}.`, data },
      summary: due.join('; '),
      ...(!isWhole && { artifacts: [textArtifact(file, 'application/json', `${JSON.stringify(whole, null, 1)}\n`)] }),
    };
  },
});
