import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import type { JsonObject } from '../../contract/json.ts';
import type { McpToolDefinition } from '../../contract/ports/index.ts';

type Validate = ReturnType<AjvJsonSchemaValidator['getValidator']>;

/** So many compiled schemas are kept. Schemas of servers may change without end. */
const mostKept = 1_000;

/** Validates values against the schemas of servers. Each schema is compiled once, and knows no other one. */
export function createValidators() {
  const known = new Map<string, Validate>();
  return (schema: JsonObject, value: unknown): ReturnType<Validate> => {
    const key = JSON.stringify(schema);
    const validate = known.get(key) ?? new AjvJsonSchemaValidator().getValidator(schema);
    if (known.size >= mostKept) known.clear();
    known.set(key, validate);
    return validate(value);
  };
}

/** Whether the schemas of a tool can be compiled. Without that no call of it can be checked. */
export function hasUsableSchemas({ inputSchema, outputSchema }: McpToolDefinition): boolean {
  try {
    for (const schema of [inputSchema, outputSchema]) if (schema) new AjvJsonSchemaValidator().getValidator(schema);
    return true;
  } catch {
    return false;
  }
}
