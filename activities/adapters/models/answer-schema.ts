import type { JsonValue } from '../../../contract/json.ts';

type Schema = Record<string, JsonValue>;
const isSchema = (value: JsonValue | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A schema with every object closed, as providers that enforce one want it, or undefined when that would change what it
 * means: objects with free keys, references (which zod makes of recursion only), a root that is no object.
 */
export const closedSchema = (schema: Schema): Schema | undefined =>
  schema.type === 'object' && isClosable(schema) ? (closed(schema) as Schema) : undefined;

function isClosable(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.every(isClosable);
  if (!isSchema(value)) return true;
  const { additionalProperties = false } = value;
  if ('$ref' in value || additionalProperties !== false) return false;
  return subschemas(value).every(isClosable);
}

function closed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(closed);
  if (!isSchema(value)) return value;
  const copy: Schema = { ...value };
  for (const key of nesting) if (copy[key] !== undefined) copy[key] = closed(copy[key]);
  if (isSchema(copy.properties))
    copy.properties = Object.fromEntries(Object.entries(copy.properties).map(([name, inner]) => [name, closed(inner)]));
  return copy.type === 'object' ? { ...copy, additionalProperties: false } : copy;
}

const nesting = ['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf', 'not'] as const;

const subschemas = (schema: Schema): JsonValue[] => [
  ...nesting.flatMap((key) => (schema[key] === undefined ? [] : [schema[key]])),
  ...(isSchema(schema.properties) ? Object.values(schema.properties) : []),
];

/** Keywords that OpenAI's strict mode knows; with any other it refuses the request. */
const strictKeywords = new Set([
  ...['type', 'properties', 'required', 'additionalProperties', 'items', 'anyOf', 'enum', 'const'],
  ...['title', 'description', 'pattern', 'format', 'minItems', 'maxItems'],
  ...['multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

/** Whether a closed schema fits strict mode, which also wants every property required. */
export function isStrict(schema: Schema): boolean {
  const { properties, required } = schema;
  const names = isSchema(properties) ? Object.keys(properties) : [];
  const all = Array.isArray(required) ? required : [];
  return (
    Object.keys(schema).every((keyword) => strictKeywords.has(keyword)) &&
    names.every((name) => all.includes(name)) &&
    subschemas(schema).every((inner) => [inner].flat().every((one) => !isSchema(one) || isStrict(one)))
  );
}

/** The schema in words, for whoever cannot enforce it. */
export const inWords = (instructions: string, schema: Schema) =>
  `${instructions}\n\nYour final answer is nothing but one JSON value that fits this JSON Schema: ${JSON.stringify(schema)}`.trim();
