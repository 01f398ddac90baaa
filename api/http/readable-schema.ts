import type { z } from 'zod';
import { ErrorCodeSchema } from '../../contract/error-code.ts';
import { defaultMessageOf, errorCodes, httpStatusOf, isWorthRepeating } from '../../contract/errors.ts';
import { Json } from '../../contract/json-schema.ts';
import { meaningOf, typesByName } from './event-schemas.ts';

type JsonSchema = Record<string, unknown>;

/** Formats whose rule a reader knows by name. The pattern that zod adds says the same in 300 characters. */
const knownFormats = ['date', 'date-time', 'uuid'];

/**
 * Writes a converted schema the way people and generators read it best. What is accepted or answered stays the same.
 *
 * @param io whether a request or a response has it
 */
export function describeForReaders(schema: z.core.$ZodType, json: JsonSchema, io: 'input' | 'output'): void {
  if (schema === Json) return replace(json, { description: 'Any JSON value' });
  if (schema === ErrorCodeSchema) describeCodes(json);
  json['description'] ??= meaningOf(schema);
  if (json['description'] === undefined) delete json['description'];
  if (knownFormats.includes(String(json['format']))) delete json['pattern'];
  if (isPlain(json['propertyNames'])) delete json['propertyNames'];
  if (json['maximum'] === Number.MAX_SAFE_INTEGER) delete json['maximum'];
  if (json['minimum'] === Number.MIN_SAFE_INTEGER) delete json['minimum'];
  // A later version may answer with more fields, and a client that checks responses goes on working.
  if (io === 'output' && json['additionalProperties'] === false) delete json['additionalProperties'];
  moveDefault(json, io);
  addDiscriminator(json);
}

function replace(json: JsonSchema, by: JsonSchema): void {
  for (const key of Object.keys(json)) delete json[key];
  Object.assign(json, by);
}

const isPlain = (names: unknown) => JSON.stringify(names) === '{"type":"string"}';

/**
 * Says the default in words. Generators take a field with `default` for one that is always there, and so want it in
 * requests too. A response has the field in any case.
 */
function moveDefault(json: JsonSchema, io: 'input' | 'output'): void {
  if (!('default' in json)) return;
  const { default: value, description } = json;
  delete json['default'];
  if (io === 'output') return;
  const sentence = `Default: \`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  json['description'] = typeof description === 'string' ? `${description}. ${sentence}` : sentence;
}

/** Names the field that tells the members of a union apart. */
function addDiscriminator(json: JsonSchema): void {
  const members = Array.isArray(json['oneOf']) ? (json['oneOf'] as JsonSchema[]) : [];
  const mapping = members.map(({ $ref }) => [typesByName[String($ref).split('/').pop() ?? ''], $ref]);
  if (mapping.length > 0 && mapping.every(([type]) => type !== undefined))
    json['discriminator'] = { propertyName: 'type', mapping: Object.fromEntries(mapping) as object };
}

function describeCodes(json: JsonSchema): void {
  json['description'] =
    'Stable: go by it. `x-error-codes` says of each code what it means, the HTTP status of an answer with it, and whether it is worth asking again later without a change.';
  json['x-error-codes'] = Object.fromEntries(
    errorCodes.map((code) => [
      code,
      { status: httpStatusOf(code), repeat: isWorthRepeating(code), description: defaultMessageOf(code) },
    ]),
  );
}
