import { z } from 'zod';
import { ApprovalRule } from '../../../contract/approval.ts';
import { BusyPolicy } from '../../../contract/conversation.ts';
import { Budget } from '../../../contract/task.ts';
import { ModelChain } from '../../../runtime/settings-schemas.ts';

const isSchema = (value: unknown) =>
  typeof value === 'object' && value !== null && '_zod' in value && '_def' in value && 'safeParse' in value;
const Schema = z.custom<z.ZodType>(isSchema, 'expected a schema like z.object({…}) of `alfred/agent`');
const Function = z.custom<(...values: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
);
/** One that must return at once. */
const SyncFunction = Function.refine(
  (value) => value.constructor.name !== 'AsyncFunction',
  'is async, and it must return at once',
);
const Line = z.string().trim().min(1).max(1_000);

const Setting = z.strictObject({
  description: Line,
  required: z.boolean().optional(),
  default: z.string().optional(),
});
const SettingName = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'expected a name of a variable, like ORDERS_URL');

const ToolDefinition = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'expected lower-case words joined by _, like read_order'),
  description: z.string().trim().min(1).max(4_000),
  input: Schema,
  effect: z.literal('write').optional(),
  approvals: z.array(ApprovalRule.omit({ tool: true })).optional(),
  repeatable: z.literal(true).optional(),
  timeoutMs: z.int().positive().max(240_000).optional(),
  settings: z.record(SettingName, Setting).optional(),
  check: SyncFunction.optional(),
  run: Function,
  reconcile: Function.optional(),
  undo: Function.optional(),
});

const AgentDefinition = z.strictObject({
  description: Line,
  instructions: z.string().trim().min(1).max(50_000),
  tools: z.array(
    z.union([z.string().min(1), z.custom((tool) => isMade(tool, 'tool'))], {
      error: 'expected the name of a shared tool, or a tool made with defineTool',
    }),
  ),
  maxSteps: z.int().min(2).max(1_000).optional(),
  input: Schema.optional(),
  ask: SyncFunction.optional(),
  answer: Schema.optional(),
  approvals: z.array(ApprovalRule).optional(),
  withoutApproval: z.array(z.string()).optional(),
  onBusy: BusyPolicy.optional(),
  model: ModelChain.optional(),
  budget: Budget.optional(),
  roles: z.array(z.string().min(1)).min(1).optional(),
});

/** Whether a value comes from `defineTool` or `defineAgent`. */
export const isMade = (value: unknown, what: 'tool' | 'agent'): boolean =>
  typeof value === 'object' && value !== null && (value as { alfred?: unknown }).alfred === what;

/** @throws Error */
export function checkToolDefinition(definition: unknown): void {
  const { name, effect, undo, reconcile } = (definition ?? {}) as Record<string, unknown>;
  check(ToolDefinition, definition, typeof name === 'string' ? `The tool "${name}"` : 'A tool');
  if (effect === undefined && (undo ?? reconcile) !== undefined)
    throw new Error(`The tool "${String(name)}" has \`undo\` or \`reconcile\`, which go with \`effect: 'write'\`.`);
}

/** @throws Error */
export function checkAgentDefinition(definition: unknown): void {
  check(AgentDefinition, definition, 'The agent');
  const { input, ask } = definition as { input?: unknown; ask?: unknown };
  if (ask !== undefined && input === undefined) throw new Error('The agent has `ask` without `input`.');
}

function check(schema: z.ZodType, definition: unknown, what: string): void {
  const { error } = schema.safeParse(definition);
  if (!error) return;
  const faults = error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    // A missing field has no value that its schema could describe.
    const isMissing = issue.path.length === 1 && fieldOf(definition, issue.path[0]) === undefined;
    if (isMissing) return `has no \`${path}\``;
    return path ? `\`${path}\`: ${issue.message}` : issue.message;
  });
  throw new Error(`${what} is not complete or not right: ${faults.join('; ')}.`);
}

const fieldOf = (value: unknown, name: PropertyKey | undefined): unknown =>
  typeof value === 'object' && value !== null && name !== undefined
    ? (value as Record<PropertyKey, unknown>)[name]
    : undefined;
