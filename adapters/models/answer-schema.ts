import type { JsonValue } from '../../contract/json.ts';

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
  if (!isSchema(value)) return value;
  const copy = mapInner(value, closed);
  return copy.type === 'object' ? { ...copy, additionalProperties: false } : copy;
}

/** The schema with its direct subschemas replaced. */
function mapInner(schema: Schema, change: (inner: JsonValue) => JsonValue): Schema {
  const copy: Schema = { ...schema };
  for (const key of nesting) {
    const inner = copy[key];
    if (inner !== undefined) copy[key] = Array.isArray(inner) ? inner.map(change) : change(inner);
  }
  if (isSchema(copy.properties))
    copy.properties = Object.fromEntries(Object.entries(copy.properties).map(([name, inner]) => [name, change(inner)]));
  return copy;
}

const nesting = ['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf', 'not'] as const;

const subschemas = (schema: Schema): JsonValue[] => [
  ...nesting.flatMap((key) => (schema[key] === undefined ? [] : [schema[key]])),
  ...(isSchema(schema.properties) ? Object.values(schema.properties) : []),
];

/** Keywords that every server enforces. */
const shape = ['type', 'properties', 'required', 'additionalProperties', 'items', 'anyOf', 'enum', 'const'];
const words = ['title', 'description'];
/** Keywords that make another shape, which only some servers know. */
const otherShapes = ['prefixItems', 'oneOf', 'allOf', 'not', 'if', 'then', 'else'];

/**
 * A closed schema with its shape alone: lengths, ranges, patterns and formats become part of the descriptions. Servers
 * know different ones of them and refuse the whole request for the others; the answer is checked against all of them
 * when it is there.
 */
export function shapeOf(schema: Schema): Schema {
  const kept = [...shape, ...words, ...otherShapes];
  const bounds = Object.entries(schema).filter(([keyword]) => !kept.includes(keyword));
  const said = bounds.map(([keyword, value]) => `${keyword}: ${JSON.stringify(value)}`).join(', ');
  const own = typeof schema.description === 'string' ? schema.description : '';
  const description = [own, said].filter(Boolean).join(' – ');
  const bare = Object.fromEntries(Object.entries(schema).filter(([keyword]) => kept.includes(keyword)));
  return {
    ...mapInner(bare, (inner) => (isSchema(inner) ? shapeOf(inner) : inner)),
    ...(description ? { description } : {}),
  };
}

/** Whether a shape fits OpenAI's strict mode, which wants a type, every property required, and no other shapes. */
export function isStrict(schema: Schema): boolean {
  const { properties, required } = schema;
  const names = isSchema(properties) ? Object.keys(properties) : [];
  const all = Array.isArray(required) ? required : [];
  return (
    ['type', 'anyOf', 'enum', 'const'].some((keyword) => keyword in schema) &&
    otherShapes.every((keyword) => !(keyword in schema)) &&
    names.every((name) => all.includes(name)) &&
    subschemas(schema).every((inner) => [inner].flat().every((one) => !isSchema(one) || isStrict(one)))
  );
}

/** The schema in words, for whoever cannot enforce it. */
export const inWords = (instructions: string, schema: Schema) =>
  `${instructions}\n\nYour final answer is nothing but one JSON value that fits this JSON Schema: ${JSON.stringify(schema)}`.trim();
