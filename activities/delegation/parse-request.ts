import { findAgent } from '../../agents/index.ts';
import { DelegateArguments, type DelegatedShare } from '../../contract/delegation.ts';
import { maxAttemptsOf } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { DecidedCall, Tool } from '../../contract/ports/index.ts';
import type { TaskRef, ToolCallRef } from '../../contract/references.ts';
import type { TaskInput } from '../../contract/task.ts';
import { checkApproval, errorOutcome, type ApprovalRef, type Outcome, type ToolDeps } from '../acting/run-tool.ts';
import { toAlfredError } from '../activity-context.ts';
import { usableAgents, type AgentsToAskDeps } from './agents-to-ask.ts';
import { parseInput, typedInputOf } from './typed-input.ts';

type Requested = {
  task: TaskRef;
  call: ToolCallRef;
  tool: Tool;
  input: JsonValue;
  approval: ApprovalRef | undefined;
  verdict: DecidedCall | undefined;
};

/** What a delegate call asks of which agent; or why the call cannot be made, for the model to read. */
export async function parseRequest(
  deps: ToolDeps & Omit<AgentsToAskDeps, 'delegations'>,
  { task, call, tool, input, approval, verdict }: Requested,
): Promise<{ agent: string; input: TaskInput; asked: DelegatedShare } | { refused: Outcome }> {
  try {
    tool.check?.(input);
    await checkApproval(deps, { task, call, input, approval, verdict });
  } catch (error) {
    const { code, fullMessage } = toAlfredError(error);
    if (maxAttemptsOf(code) > 1) throw error;
    return { refused: errorOutcome(fullMessage, code === 'invalid_request' ? 'invalid_arguments' : undefined) };
  }
  const { agent: name, request, input: fields, budget = {} } = DelegateArguments.parse(input);
  const usable = await usableAgents(deps, task);
  const agent = usable.includes(name) ? findAgent(deps.agents, name) : undefined;
  if (!agent)
    return {
      refused: errorOutcome(
        `There is no agent "${name}" that you may ask. There are: ${usable.filter((other) => other !== task.agent).join(', ') || 'none'}.`,
      ),
    };
  const parsed = parseInput(agent, request, fields);
  if (parsed.success) return { agent: name, input: parsed.data as TaskInput, asked: budget };
  const faults = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  const schema = typedInputOf(agent);
  const remedy = schema ? ` Give an \`input\` that fits this JSON Schema: ${JSON.stringify(schema)}` : '';
  return { refused: errorOutcome(`The input is not what ${name} takes. ${faults.join('. ')}.${remedy}`) };
}
