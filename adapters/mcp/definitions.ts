import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, type JsonObject } from '../../contract/json.ts';
import type { McpToolDefinition } from '../../contract/ports/index.ts';

/** Largest description and schemas of a tool together, in characters of JSON. A larger tool is left out. */
const largestDefinition = 64_000;

/** In JSON: a zero character, or half of a surrogate pair. Postgres stores neither. */
const unstorable = /(^|[^\\])(\\\\)*\\u(0000|d[89a-f])/i;

const Schema = z.record(z.string(), z.unknown());
/** What is read of a tool in a server's list. Whether its schemas can be used is found out later, and by tool. */
const ListedTool = z.looseObject({
  name: z.string(),
  description: z.string().optional(),
  inputSchema: Schema,
  outputSchema: Schema.optional(),
});

/** A tool with the hash of all that a model reads of it and that its answers are checked against. */
export type SeenTool = { fingerprint: string; definition: McpToolDefinition };

/**
 * @param listed as the server lists it
 * @returns undefined for what is no tool, or one whose description and schemas are too large or cannot be stored
 */
export function seenTool(listed: unknown): SeenTool | undefined {
  const { success, data } = ListedTool.safeParse(listed);
  if (!success) return undefined;
  const { name, description = '', inputSchema, outputSchema } = data;
  const definition: McpToolDefinition = {
    name,
    description,
    inputSchema: inputSchema as JsonObject,
    ...(outputSchema ? { outputSchema: outputSchema as JsonObject } : {}),
  };
  const text = canonicalJson(definition);
  if (text.length > largestDefinition || unstorable.test(text)) return undefined;
  return { definition, fingerprint: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}
