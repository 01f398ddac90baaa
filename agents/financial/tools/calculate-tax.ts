import { typedTool } from '../../tools/typed-tool.ts';
import { TaxInput } from '../intents.ts';
import { calculate } from '../tax/calculate.ts';
import { plain } from '../tax/levy.ts';
import { renderAssessments, toData } from '../tax/render.ts';

const description = `Works out what is due on an income of one year: income tax and the employee's contributions, or the tax of a corporation, for one place or several, from published tables.
It returns \`answer\`, a text for people with every line of the calculation, what is taken for granted, what is not included and the sources, and \`data\` with the same.
Amounts are in the currency of the place, and nothing is converted. A place or year without a table is refused with those that there are.`;

/** Taxes from the tables of `tax/tables/`. */
export const calculateTaxTool = typedTool({
  name: 'calculate_tax',
  description,
  answers: true,
  input: TaxInput,
  async run(input) {
    const assessments = calculate(input);
    const due = assessments.map(({ place, total }) => `${place.id} ${place.year}: ${plain(total)} ${place.currency}`);
    return {
      output: { answer: renderAssessments(assessments), data: toData(assessments) },
      summary: due.join('; '),
    };
  },
});
