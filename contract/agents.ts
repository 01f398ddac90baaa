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
  answerSchema: JsonSchema.optional().describe('What `data` of the result holds; absent: the agent answers in text'),
  pack: z.string().optional().describe('Name and version of the pack that it comes from, as in order-desk@1.0.0'),
});
export type AgentDescription = z.infer<typeof AgentDescription>;
export const AgentList = z.object({ agents: z.array(AgentDescription) });
