import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Tool, ToolContext } from '../../contract/ports/index.ts';

type Typed<Input> = {
  /** What a schema cannot say. Looked at before anybody is asked to approve the call. */
  check?: (input: Input) => void;
  run: (input: Input, context: ToolContext) => ReturnType<Tool['run']>;
  reconcile?: (input: Input, context: ToolContext) => ReturnType<NonNullable<Tool['reconcile']>>;
  undo?: (input: Input, output: JsonValue, context: ToolContext) => ReturnType<NonNullable<Tool['undo']>>;
};
type Definition<S extends z.ZodType> = Pick<Tool, 'name' | 'description' | 'effect' | 'repeatable'> & {
  input: S;
} & Typed<z.infer<S>>;

/** A tool whose one schema is what the model is told, what is checked and what its functions get. */
export function typedTool<S extends z.ZodType>(definition: Definition<S>): Tool {
  const { input: schema, check, run, reconcile, undo, ...rest } = definition;
  const { $schema: _, ...inputSchema } = z.toJSONSchema(schema, { io: 'input' });

  const parse = (input: JsonValue): z.infer<S> => {
    const parsed = schema.safeParse(input);
    if (parsed.success) {
      check?.(parsed.data);
      return parsed.data;
    }
    const problems = parsed.error.issues.map(({ path, message }) =>
      path.length > 0 ? `${path.join('.')}: ${message}` : message,
    );
    throw new AlfredError(
      'invalid_request',
      `${rest.name} was called wrongly. ${problems.join('. ')}. Call it again with arguments that fit its schema.`,
    );
  };

  return {
    ...rest,
    inputSchema: inputSchema as Record<string, JsonValue>,
    check: (input) => void parse(input),
    run: async (input, context) => run(parse(input), context),
    ...(reconcile && { reconcile: async (input, context) => reconcile(parse(input), context) }),
    ...(undo && { undo: async (input, output, context) => undo(parse(input), output, context) }),
  };
}
