import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Tool, ToolContext } from '../../ports.ts';

type Definition<S extends z.ZodType> = {
  name: string;
  description: string;
  input: S;
  run: (input: z.infer<S>, context: ToolContext) => Promise<{ output: JsonValue; summary: string }>;
};

/** A tool whose one schema is what the model is told, what is checked and what `run` gets. */
export function typedTool<S extends z.ZodType>({ name, description, input: schema, run }: Definition<S>): Tool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(schema, { io: 'input' });
  return {
    name,
    description,
    inputSchema: inputSchema as Record<string, JsonValue>,
    async run(input, context) {
      const parsed = schema.safeParse(input);
      if (parsed.success) return run(parsed.data, context);
      const problems = parsed.error.issues.map(({ path, message }) =>
        path.length > 0 ? `${path.join('.')}: ${message}` : message,
      );
      throw new AlfredError(
        'invalid_request',
        `${name} was called wrongly. ${problems.join('. ')}. Call it again with arguments that fit its schema.`,
      );
    },
  };
}
