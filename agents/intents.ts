import { z } from 'zod';
import { isRecord } from '../contract/json.ts';
import type { AgentInput } from './agent.ts';

/**
 * A typed request: which tool it calls, with which fields, and how it reads in words. The fields are the arguments of
 * the call.
 */
export type Intent<Fields extends z.ZodObject = z.ZodObject> = {
  tool: string;
  input: Fields;
  ask: (fields: z.output<Fields>) => string;
};

/** Keeps the type of the fields between `input` and `ask`. */
export const intent = <Fields extends z.ZodObject>(definition: Intent<Fields>): Intent => definition;

/**
 * The input of an agent that takes words, or a typed request like `{ intent: 'TAX_CALCULATION', …fields }`. A typed
 * request becomes a call of its tool, which is made without a model.
 *
 * @param tools   names of the tools that a request in words may ask to call first
 * @param intents by their names
 */
export function inputWithIntents(
  tools: readonly string[],
  intents: Readonly<Record<string, Intent>>,
): z.ZodType<AgentInput> {
  const inWords = z.strictObject({
    text: z.string().trim().min(1).max(20_000).describe('The request in words'),
    tool: z
      .strictObject({ name: z.enum(tools), arguments: z.record(z.string(), z.json()) })
      .optional()
      .describe('A tool to call first'),
  });
  const typed = Object.entries(intents).map(([name, { input, tool, ask }]) =>
    z.strictObject({ intent: z.literal(name), ...input.shape }).transform(({ intent: _, ...fields }): AgentInput => ({
      text: ask(fields as never),
      tool: { name: tool, arguments: fields },
    })),
  );
  const names = Object.keys(intents);
  return z.union([inWords, ...typed], {
    error: ({ input, ...issue }) => messageOf(input, names, 'errors' in issue ? (issue.errors as Faults[]) : []),
  });
}

type Faults = { path: PropertyKey[]; message: string }[];

/** What is wrong with a request of the form that it was meant to have, in place of "Invalid input". */
function messageOf(input: unknown, names: string[], branches: Faults[]): string {
  const chosen = isRecord(input) ? input.intent : undefined;
  if (chosen === undefined) return `expected \`text\`, or \`intent\` with its fields: one of ${names.join(', ')}`;
  const index = names.findIndex((name) => name === chosen);
  if (index === -1) return `intent: expected one of ${names.join(', ')}`;
  return (branches[index + 1] ?? [])
    .map(({ path, message }) => (path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message))
    .join('. ');
}
