import { createHash } from 'node:crypto';
import type { Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { canonicalJson, type JsonObject } from '../../contract/json.ts';
import type { McpToolDefinition } from '../../contract/ports/index.ts';

/** Largest description and schemas of a tool together, in characters of JSON. A larger tool is left out. */
const largestDefinition = 64_000;

/** In JSON: a zero character, or half of a surrogate pair. Postgres stores neither. */
const unstorable = /(^|[^\\])(\\\\)*\\u(0000|d[89a-f])/i;

/** A tool with the hash of all that a model reads of it and that its answers are checked against. */
export type SeenTool = { fingerprint: string; definition: McpToolDefinition };

/** @returns undefined for a tool whose description and schemas are too large, or cannot be stored */
export function seenTool({ name, description = '', inputSchema, outputSchema }: ListedTool): SeenTool | undefined {
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
