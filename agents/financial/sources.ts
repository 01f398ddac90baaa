import { z } from 'zod';

const name = z.string().trim().min(1).max(100).describe('What the table is called in the answer');

/** A table that comes with the request, or a document of the knowledge base. */
const Source = z.union([
  z.strictObject({
    document: z
      .string()
      .trim()
      .min(1)
      .max(512)
      .describe(
        'A document that the person may read, or a file attached to the conversation: its id or its whole name',
      ),
  }),
  z.strictObject({ csv: z.string().min(1).max(900_000).describe('The text of a CSV file'), name: name.optional() }),
  z.strictObject({
    json: z
      .union([z.array(z.json()), z.record(z.string(), z.json())])
      .describe('Rows with the same keys, like [{"item": "Revenue", "2024": 100}], or an object of such lists'),
    name: name.optional(),
  }),
]);
export type Source = z.output<typeof Source>;

export const sources = (what: string) => z.array(Source).min(1).max(6).describe(what);

export const decimalMark = z
  .enum(['.', ','])
  .optional()
  .describe('The decimal mark of the amounts. Needed only where the amounts do not show it');
export const dateOrder = z
  .enum(['dmy', 'mdy'])
  .optional()
  .describe('The order of day and month in dates like 3/4/2025. Needed only where the dates do not show it');

/** A source in words. */
export const shownSource = (source: Source): string =>
  'document' in source ? source.document : (source.name ?? ('csv' in source ? 'a CSV text' : 'a JSON value'));
