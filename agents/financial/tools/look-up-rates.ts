import { AlfredError } from '../../../contract/errors.ts';
import { RatesInput } from '../intents.ts';
import { typedTool } from '../../tools/typed-tool.ts';

export const lookUpRatesTool = typedTool({
  name: 'look_up_rates',
  description: 'Shows brackets, allowances and rates of one place or several in a year, with their sources.',
  input: RatesInput,
  run: async ({ places }) => {
    throw new AlfredError('invalid_request', `No table of ${places.join(', ')} is known.`);
  },
});
