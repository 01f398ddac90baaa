import { z } from 'zod';
import type { Agent } from '../../agents/index.ts';
import { isRecord } from '../../contract/json.ts';

/** Fields that a request in words has: the words, and the tool that a person wants called first. */
const wordFields: readonly string[] = ['text', 'tool'];
const schemas = new WeakMap<Agent, Record<string, unknown>>();

/** JSON Schema of an agent's input, when the agent takes other fields than a request in words; else undefined. */
export function typedInputOf(agent: Agent): Record<string, unknown> | undefined {
  const schema = schemas.get(agent) ?? inputSchemaOf(agent);
  schemas.set(agent, schema);
  return hasOtherFields(schema) ? schema : undefined;
}

function inputSchemaOf({ input }: Agent): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input' });
  return schema;
}

function hasOtherFields(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  const branches = [schema.anyOf, schema.oneOf, schema.allOf].filter(Array.isArray).flat();
  const fields = Object.keys(isRecord(schema.properties) ? schema.properties : {});
  return fields.some((field) => !wordFields.includes(field)) || branches.some(hasOtherFields);
}

/** What a delegate call gives to an agent: the request in words with the fields, or the fields alone. */
export function parseInput(agent: Agent, request: string, fields: Record<string, unknown> | undefined) {
  const inWords = agent.input.safeParse({ ...fields, text: request });
  if (inWords.success || !typedInputOf(agent)) return inWords;
  // An agent may take no words at all, or words or fields.
  return agent.input.safeParse(fields ?? {});
}
