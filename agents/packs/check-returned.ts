import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { ReconcileOutcome, ToolOutcome } from '../../contract/ports/index.ts';
import { artifactName } from '../../contract/rules/artifact-name.ts';
import type { AgentInput } from '../agent.ts';

// What functions of a pack return is checked: a pack may be JavaScript, or get around its types.

/** Longest question that `ask` may make, with the arguments of its tool, in characters. */
const maxQuestion = 200_000;
/** Longest output of a tool as JSON, in characters. It is stored whole, and the model reads it part by part. */
const maxOutput = 1_000_000;
/** A summary is one line. What is longer is cut, in characters. */
const maxSummary = 500;

const Asked = z.strictObject({
  text: z.string().trim().min(1),
  tool: z.strictObject({ name: z.string(), arguments: z.record(z.string(), z.json().optional()) }).optional(),
});
const Artifact = z.object({
  name: z.string().transform(artifactName),
  mediaType: z.string(),
  bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is no Uint8Array'),
});
const Outcome = z.object({ output: z.json(), summary: z.string(), artifacts: z.array(Artifact).optional() });

/** @throws Error whose message is for the caller who sent the input */
export function checkQuestion(asked: unknown, tools: readonly string[]): AgentInput {
  refusePromise(asked, '`ask` of the agent');
  const { data: question, error } = parse(Asked, typeof asked === 'string' ? { text: asked } : asked);
  if (!question) throw new Error(`\`ask\` of the agent returned no question like {text}: ${error}`);
  const fault = sizeFault(question, maxQuestion);
  if (fault !== undefined) throw new Error(`\`ask\` of the agent made a question that is not taken: ${fault}`);
  const tool = question.tool?.name;
  if (tool !== undefined && !tools.includes(tool))
    throw new Error(`\`ask\` of the agent names the tool "${tool}", which it does not have`);
  return question;
}

/**
 * Checks what `run` of a tool returned. What a tool that acts has returned cannot undo that it has acted, so then the
 * model gets a note in place of the output.
 *
 * @throws AlfredError that the model reads, for a tool that only reads
 */
export function checkOutcome(tool: { name: string; effect?: 'write' | undefined }, returned: unknown): ToolOutcome {
  const { data, error } = parse(Outcome, returned);
  const fault = error ?? sizeFault(data?.output, maxOutput);
  if (data && fault === undefined) {
    const { output, summary, artifacts } = data;
    return { output, summary: oneLine(summary), ...(artifacts ? { artifacts } : {}) };
  }
  if (tool.effect)
    return {
      output: { note: `${tool.name} has done what it was called for. What it returned cannot be read: ${fault}.` },
      summary: `${tool.name} is done; what it returned cannot be read`,
    };
  throw new AlfredError('destination_refused', undefined, {
    fullMessage: `What ${tool.name} returned cannot be read: ${fault}.`,
  });
}

/** Checks what `reconcile` of a tool returned. Anything else than its states says nothing. */
export function checkReconciled(tool: { name: string }, returned: unknown): ReconcileOutcome {
  const { state } = (returned ?? {}) as { state?: unknown };
  if (state === 'done') return { state, ...checkOutcome({ ...tool, effect: 'write' }, returned) };
  return { state: state === 'not_done' ? state : 'unknown' };
}

/** Checks what `undo` of a tool returned: it is done, regardless of what it says. */
export function checkUndone(returned: unknown): { summary: string } {
  const { summary } = (returned ?? {}) as { summary?: unknown };
  return { summary: typeof summary === 'string' && summary.trim() ? oneLine(summary) : 'Undone' };
}

/** Checks that `check` of a tool is over when it returns. @throws AlfredError that the model reads */
export function checkChecked({ name }: { name: string }, returned: unknown): void {
  try {
    refusePromise(returned, `\`check\` of the tool ${name}`);
  } catch (error) {
    throw new AlfredError('destination_refused', undefined, { fullMessage: (error as Error).message });
  }
}

/**
 * Refuses a promise where a value is needed at once. A failure of it that no code awaits would end the process.
 *
 * @throws Error
 */
function refusePromise(returned: unknown, what: string): void {
  if (typeof (returned as { then?: unknown } | undefined)?.then !== 'function') return;
  Promise.resolve(returned).catch(() => {});
  throw new Error(`${what} is async, and it must return at once`);
}

function sizeFault(value: unknown, most: number): string | undefined {
  try {
    const characters = JSON.stringify(value)?.length ?? 0;
    return characters > most ? `it has ${characters} characters, more than ${most}` : undefined;
  } catch {
    return endless;
  }
}

const endless = 'it is nested too deep, or refers to itself';

const oneLine = (summary: string): string =>
  summary.length > maxSummary ? `${summary.slice(0, maxSummary).toWellFormed()}…` : summary;

/** A value that refers to itself has no end for a schema. */
function parse<S extends z.ZodType>(schema: S, value: unknown): { data?: z.output<S>; error?: string } {
  try {
    const { data, error } = schema.safeParse(value);
    if (!error) return { data };
    const [first] = error.issues;
    return { error: `${first?.path.map(String).join('.') || 'the value'}: ${first?.message}` };
  } catch {
    return { error: endless };
  }
}
