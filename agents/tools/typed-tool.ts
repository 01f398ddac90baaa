import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Tool, ToolContext } from '../../contract/ports/index.ts';

type ToolFunctions<Input> = {
  /**
   * Checks what the schema cannot express. Runs before a person is asked to approve the call, and again before `run`.
   *
   * @throws AlfredError that the model can act on
   */
  check?: (input: Input) => void;
  run: (input: Input, context: ToolContext) => ReturnType<Tool['run']>;
  reconcile?: (input: Input, context: ToolContext) => ReturnType<NonNullable<Tool['reconcile']>>;
  undo?: (input: Input, output: JsonValue, context: ToolContext) => ReturnType<NonNullable<Tool['undo']>>;
};
type ToolDefinition<S extends z.ZodType> = Pick<
  Tool,
  | 'name'
  | 'description'
  | 'effect'
  | 'needsNoRule'
  | 'approvals'
  | 'repeatable'
  | 'needsIndex'
  | 'timeoutMs'
  | 'delegates'
  | 'answers'
> & {
  input: S;
} & ToolFunctions<z.infer<S>>;

/**
 * Builds a tool from one zod schema: the model gets it as JSON Schema, every input is parsed with it, and the tool's
 * functions get the parsed input.
 */
export function typedTool<S extends z.ZodType>(definition: ToolDefinition<S>): Tool {
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
    check(input) {
      parse(input);
    },
    run: async (input, context) => run(parse(input), context),
    ...(reconcile && { reconcile: async (input, context) => reconcile(parse(input), context) }),
    ...(undo && { undo: async (input, output, context) => undo(parse(input), output, context) }),
  };
}

/**
 * An id for the receiver of a tool call, the same in every attempt, so that the receiver can detect repeats. It is a
 * hash, because the receipt key contains the task's id, which is not for outsiders.
 */
export const externalCallId = (receiptKey: string) =>
  createHash('sha256').update(receiptKey).digest('base64url').slice(0, 32);
