import { z } from 'zod';
import { InvalidRequest } from '../../contract/errors.ts';
import { jsonSchemaOf } from './schemas.ts';

const namesBySchema = new WeakMap<object, string[]>();

/**
 * Refuses numbers in a query that are not written in digits. The schemas convert texts to numbers as JavaScript does,
 * which also reads `0x10`, `1e1` and ` 5`; the document says integers.
 *
 * @param schema the zod schema of the route's query
 * @throws InvalidRequest that names every place
 */
export function refuseOddNumbers(query: unknown, schema: unknown): void {
  if (!(schema instanceof z.ZodType) || typeof query !== 'object' || query === null) return;
  const values = query as Record<string, unknown>;
  const issues = integersOf(schema)
    .filter((name) => values[name] !== undefined && !isInDigits(values[name]))
    .map((path) => ({ path: `query.${path}`, message: 'expected a whole number in digits, like 20' }));
  if (issues.length > 0) throw new InvalidRequest(issues);
}

/** A list, as of a repeated parameter, is left to the schema. */
const isInDigits = (value: unknown) => typeof value !== 'string' || /^-?\d+$/.test(value);

/** The names of the integers that a query may have. */
function integersOf(schema: z.ZodType): string[] {
  const known = namesBySchema.get(schema);
  if (known) return known;
  const { properties = {} } = jsonSchemaOf(schema, 'input') as { properties?: Record<string, { type?: string }> };
  const names = Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
  namesBySchema.set(schema, names);
  return names;
}
