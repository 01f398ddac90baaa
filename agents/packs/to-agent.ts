import { z } from 'zod';
import { isRecord, type JsonValue } from '../../contract/json.ts';
import type { Tool, ToolContext as InnerContext } from '../../contract/ports/index.ts';
import { TaskResult } from '../../contract/task.ts';
import { variableNames } from '../../runtime/config.ts';
import type { Agent, AgentInput } from '../agent.ts';
import { toolNames } from '../tools/tool-names.ts';
import { externalCallId, typedTool } from '../tools/typed-tool.ts';
import { checkChecked, checkOutcome, checkQuestion, checkReconciled, checkUndone } from './check-returned.ts';
import type { DefinedAgent, DefinedTool } from './import-agents.ts';
import { PackFault } from './pack-fault.ts';
import type { ToolContext } from './surface/types.ts';

type Variables = Readonly<Record<string, string | undefined>>;
type ReadVariables = (names: readonly string[]) => Variables;
type PackName = { name: string; version: string };

const defaultSteps = 50;

/**
 * Makes an agent of what a pack defines.
 *
 * @param variables reads the variables of these names
 * @throws PackFault
 */
export function toAgent(
  name: string,
  defined: DefinedAgent,
  { pack, readVariables }: { pack: PackName; readVariables: ReadVariables },
): Agent {
  const own = defined.tools.filter((tool) => typeof tool !== 'string');
  checkOwnTools(name, own);
  // By tool: two may name the same variable with another default.
  const valuesOf = new Map(own.map((tool) => [tool, settingValues(tool, readVariables)]));
  const tools = defined.tools.map((tool) => (typeof tool === 'string' ? tool : tool.name));
  const { model, budget, roles, answer, approvals, withoutApproval, onBusy } = defined;
  const agent: Agent = {
    description: defined.description,
    instructions: defined.instructions,
    tools,
    ownTools: Object.fromEntries(own.map((tool) => [tool.name, toTool(tool, valuesOf.get(tool) ?? {})])),
    maxSteps: defined.maxSteps ?? defaultSteps,
    input: inputOf(defined, tools),
    output: TaskResult,
    defaults: { ...(model && { model }), ...(budget && { budget }), ...(roles && { roles }) },
    pack: { ...pack, missingVariables: [...new Set(own.flatMap((tool) => missingIn(tool, valuesOf.get(tool) ?? {})))] },
    ...(answer && { answer }),
    ...(approvals && { approvals }),
    ...(withoutApproval && { withoutApproval }),
    ...(onBusy && { onBusy }),
  };
  checkSchema(`the \`input\` of the agent ${name}`, agent.input, { mustBeObject: true });
  if (answer) checkSchema(`the \`answer\` of the agent ${name}`, answer);
  if (answer) checkSchema(`the \`answer\` of the agent ${name}`, answer, { io: 'output' });
  return agent;
}

function checkOwnTools(agent: string, tools: readonly DefinedTool[]): void {
  for (const [index, { name, input, settings = {} }] of tools.entries()) {
    if (toolNames.includes(name))
      throw new PackFault(
        `the agent ${agent} has a tool of its own called "${name}", and a tool that all agents share has that name`,
      );
    if (tools.findIndex((other) => other.name === name) < index)
      throw new PackFault(`the agent ${agent} has two tools called "${name}"`);
    checkSchema(`the \`input\` of the tool ${name} of the agent ${agent}`, input, { mustBeObject: true });
    for (const variable of Object.keys(settings))
      if (variable.startsWith('ALFRED_') || (variableNames as string[]).includes(variable))
        throw new PackFault(
          `the tool ${name} of the agent ${agent} asks for ${variable}, which is a variable of Alfred: give it one of its own`,
        );
  }
}

/** Whether models and callers can be shown a schema: as JSON Schema, and for arguments as that of an object. */
function checkSchema(
  what: string,
  schema: z.ZodType,
  { mustBeObject = false, io = 'input' }: { mustBeObject?: boolean; io?: 'input' | 'output' } = {},
): void {
  let json: unknown;
  try {
    json = z.toJSONSchema(schema, { io });
  } catch (error) {
    throw new PackFault(`${what} cannot be written as JSON Schema: ${(error as Error).message}`);
  }
  if (mustBeObject && !isObjectSchema(json))
    throw new PackFault(`${what} is no schema of an object like z.object({…})`);
}

function isObjectSchema(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  const { type, anyOf, oneOf } = schema;
  const branches = [anyOf, oneOf].find(Array.isArray);
  return type === 'object' || (branches !== undefined && branches.every(isObjectSchema));
}

/** The schema of what callers send, which becomes a question for the model. */
function inputOf(defined: DefinedAgent, tools: readonly string[]): z.ZodType<AgentInput> {
  const { input } = defined;
  if (!input)
    return z.strictObject({
      text: z.string().trim().min(1).max(20_000).describe('The question, or what to do'),
      tool: z
        .strictObject({ name: z.enum(tools), arguments: z.record(z.string(), z.json()) })
        .optional()
        .describe('A tool to call first'),
    });
  return input.transform((value, context): AgentInput => {
    try {
      return checkQuestion(defined.ask ? defined.ask(value) : JSON.stringify(value, undefined, 2), tools);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

function settingValues({ settings = {} }: DefinedTool, readVariables: ReadVariables): Variables {
  const read = readVariables(Object.keys(settings));
  return Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, read[name] ?? setting.default]));
}

const missingIn = ({ settings = {} }: DefinedTool, values: Variables): string[] =>
  Object.entries(settings)
    .filter(([name, { required = true }]) => required && values[name] === undefined)
    .map(([name]) => name);

function toTool(defined: DefinedTool, values: Variables): Tool {
  const { name, description, input: schema, effect, repeatable, timeoutMs, approvals } = defined;
  const contextOf = ({ scope, taskId, receiptKey, signal, beforeSend }: InnerContext): ToolContext => ({
    ...scope,
    taskId,
    idempotencyKey: externalCallId(receiptKey),
    settings: values as ToolContext['settings'],
    signal,
    beforeSend,
  });
  return typedTool({
    name,
    description,
    input: schema,
    ...(effect && { effect }),
    ...(repeatable && { repeatable }),
    ...(timeoutMs && { timeoutMs }),
    ...(approvals && { approvals }),
    // Called as methods: an author may write `this`.
    check: (input) => checkChecked(defined, defined.check?.(input)),
    run: async (input, context) => checkOutcome(defined, await defined.run(input, contextOf(context))),
    ...(defined.reconcile && {
      reconcile: async (input: unknown, context: InnerContext) =>
        checkReconciled(defined, await defined.reconcile?.(input, contextOf(context))),
    }),
    ...(defined.undo && {
      undo: async (input: unknown, output: JsonValue, context: InnerContext) =>
        checkUndone(await defined.undo?.(input, output, contextOf(context))),
    }),
  });
}
