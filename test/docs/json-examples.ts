import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonObject } from '../api/checked-client.ts';

/**
 * Checks JSON against a named schema of the API. `Task part` checks only the fields that the example has.
 *
 * @returns a function that throws when the schema does not exist or the value does not fit
 */
export function createSchemaCheck(document: JsonObject) {
  const whole = document['components'] as JsonObject;
  const parts = withoutRequired(whole) as JsonObject;
  return (info: string, value: unknown): void => {
    const [name = '', part] = info.split(' ');
    if (!Object.hasOwn(whole['schemas'], name))
      throw new Error(`"${info}" names no schema of the API: \`\`\`json Task, or \`\`\`json Task part`);
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const components = part === 'part' ? parts : whole;
    const validate = ajv.compile({ $ref: `#/components/schemas/${name}`, components });
    if (!validate(value)) throw new Error(`does not fit ${name}: ${ajv.errorsText(validate.errors)}`);
  };
}

/** The schemas with every field optional. Without required fields several members of a `oneOf` may fit. */
function withoutRequired(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRequired);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).flatMap(([name, value]) => {
    if (name === 'required' && Array.isArray(value)) return [];
    return [[name === 'oneOf' ? 'anyOf' : name, withoutRequired(value)] as const];
  });
  return Object.fromEntries(entries);
}
