import { ToolSchema } from '@modelcontextprotocol/sdk/types.js';
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

/**
 * Why no call of a tool can be checked. Words of the server stand in it.
 *
 * @returns undefined for a tool whose schemas can be used
 */
export function schemaFault({ inputSchema, outputSchema }: McpToolDefinition): string | undefined {
  return faultOf('input', inputSchema) ?? (outputSchema && faultOf('output', outputSchema));
}

function faultOf(which: 'input' | 'output', schema: JsonObject): string | undefined {
  // Of the input of a tool MCP says the same as of its output.
  if (!ToolSchema.shape.inputSchema.safeParse(schema).success)
    return `its ${which} schema is none of an object ("type": "object"), which MCP asks for`;
  try {
    new AjvJsonSchemaValidator().getValidator(schema);
    return undefined;
  } catch (error) {
    return `its ${which} schema cannot be compiled: ${error instanceof Error ? error.message : 'unknown'}`;
  }
}
