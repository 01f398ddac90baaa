import { z } from 'zod';
import { Json } from './json-schema.ts';

const JsonSchema = z.record(z.string(), Json).describe('JSON Schema');

export const AgentDescription = z.object({
  name: z.string(),
  description: z.string(),
  tools: z.array(z.string()),
  maxSteps: z.int().positive(),
  inputSchema: JsonSchema,
  outputSchema: JsonSchema,
});
export type AgentDescription = z.infer<typeof AgentDescription>;
export const AgentList = z.object({ agents: z.array(AgentDescription) });
