import type { JsonValue } from '../../contract/json.ts';

// Prepares the JSON Schema of an answer for providers that enforce one. Written by hand because an agent gives raw JSON
// Schema. The helpers of the openai package take zod types or types of a schema library, and its strict mode makes
// optional properties required, which would change the meaning of the answer.

type Schema = Record<string, JsonValue>;
const isSchema = (value: JsonValue | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Closes every object of a schema with `additionalProperties: false`, which providers require to enforce a schema.
 *
 * @returns undefined when closing would change the meaning: objects with free keys, references (zod uses them for
 *   recursion only), or a root that is not an object
 */
export const closedSchema = (schema: Schema): Schema | undefined =>
  schema.type === 'object' && canBeClosed(schema) ? (closeObjects(schema) as Schema) : undefined;

function canBeClosed(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.every(canBeClosed);
  if (!isSchema(value)) return true;
  const { additionalProperties = false } = value;
  if ('$ref' in value || additionalProperties !== false) return false;
  return subschemasOf(value).every(canBeClosed);
}

function closeObjects(value: JsonValue): JsonValue {
  if (!isSchema(value)) return value;
  const copy = mapSubschemas(value, closeObjects);
  return copy.type === 'object' ? { ...copy, additionalProperties: false } : copy;
}

/** A copy of a schema with its direct subschemas replaced. */
function mapSubschemas(schema: Schema, change: (subschema: JsonValue) => JsonValue): Schema {
  const copy: Schema = { ...schema };
  for (const keyword of subschemaKeywords) {
    const value = copy[keyword];
    if (value !== undefined) copy[keyword] = Array.isArray(value) ? value.map(change) : change(value);
  }
  if (isSchema(copy.properties))
    copy.properties = Object.fromEntries(Object.entries(copy.properties).map(([name, value]) => [name, change(value)]));
  return copy;
}

const subschemaKeywords = ['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf', 'not'] as const;

const subschemasOf = (schema: Schema): JsonValue[] => [
  ...subschemaKeywords.flatMap((keyword) => (schema[keyword] === undefined ? [] : [schema[keyword]])),
  ...(isSchema(schema.properties) ? Object.values(schema.properties) : []),
];

/** Structural keywords that every server with schema support enforces. */
const commonKeywords = ['type', 'properties', 'required', 'additionalProperties', 'items', 'anyOf', 'enum', 'const'];
const annotationKeywords = ['title', 'description'];
/** Structural keywords that only some servers enforce. OpenAI's strict mode refuses them. */
const rareKeywords = ['prefixItems', 'oneOf', 'allOf', 'not', 'if', 'then', 'else'];

/**
 * Keeps the structure of a closed schema and moves all other constraints (lengths, ranges, patterns, formats) into the
 * descriptions. Each server supports different ones of them and refuses the whole request for the rest. The complete
 * answer is validated against all of them anyway.
 */
export function describeConstraints(schema: Schema): Schema {
  const structuralKeywords = [...commonKeywords, ...annotationKeywords, ...rareKeywords];
  const entries = Object.entries(schema);
  const constraints = entries.filter(([keyword]) => !structuralKeywords.includes(keyword));
  const constraintText = constraints.map(([keyword, value]) => `${keyword}: ${JSON.stringify(value)}`).join(', ');
  const originalDescription = typeof schema.description === 'string' ? schema.description : '';
  const description = [originalDescription, constraintText].filter(Boolean).join(' – ');
  const structure = Object.fromEntries(entries.filter(([keyword]) => structuralKeywords.includes(keyword)));
  return {
    ...mapSubschemas(structure, (subschema) => (isSchema(subschema) ? describeConstraints(subschema) : subschema)),
    ...(description ? { description } : {}),
  };
}

/**
 * Whether a schema without constraints fits OpenAI's strict mode: every value has a type, every property is required,
 * and there are no rare keywords.
 */
export function fitsOpenAiStrictMode(schema: Schema): boolean {
  const { properties, required } = schema;
  const propertyNames = isSchema(properties) ? Object.keys(properties) : [];
  const requiredNames = Array.isArray(required) ? required : [];
  return (
    ['type', 'anyOf', 'enum', 'const'].some((keyword) => keyword in schema) &&
    rareKeywords.every((keyword) => !(keyword in schema)) &&
    propertyNames.every((name) => requiredNames.includes(name)) &&
    subschemasOf(schema).every((value) => [value].flat().every((item) => !isSchema(item) || fitsOpenAiStrictMode(item)))
  );
}
