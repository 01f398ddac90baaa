import { AlfredError, maxAttemptsOf } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';
import type { Head, TaskRef, ToolCallRef, ToolMisuse, ToolResultRef } from '../contract/references.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { currentRun } from './current-run.ts';
import { alfredErrorOf } from './errors.ts';
import { heartbeating } from './heartbeat.ts';
import type { Conversations, Ledger, Tool } from './ports.ts';

export type ToolDeps = {
  tools: Record<string, Tool>;
  conversations: Conversations;
  ledger: Ledger;
  metrics: Metrics;
  /** Characters of a result that an agent's models read at once; the rest is read with `read_result`. */
  resultCharactersOf: (agent: string) => number;
};

type RunTool = { task: TaskRef; step: number; head: Head; call: ToolCallRef };

export const createToolActivities = ({ tools, conversations, ledger, metrics, resultCharactersOf }: ToolDeps) => ({
  /**
   * One tool call under a receipt: a repeat returns what was stored. What the model got wrong (unknown tool, wrong
   * arguments) is a result it can read; what is broken on our side is retried, then fails the task.
   */
  runTool: ({ task, step, head, call }: RunTool): Promise<ToolResultRef> =>
    heartbeating(async (signal) => {
      const { arguments: input, malformed } = await conversations.toolArguments(task, head, call.callId);
      const receipt = await ledger.beginToolCall(task, {
        ...currentRun(),
        ...call,
        step,
        arguments: malformed ?? input,
      });
      if (receipt) return receipt;
      // A model may ask for anything, also for what every object has.
      const known = Object.hasOwn(tools, call.tool) ? tools[call.tool] : undefined;
      const tool = known ? call.tool : 'unknown';
      const begun = performance.now();
      const outcome =
        malformed === undefined
          ? await attempt(known, input, { task, step, call, signal })
          : refused(
              `The arguments of ${call.tool} are no JSON object. Call it again with arguments that fit its schema.`,
              'invalid_arguments',
            );
      const durationMs = Math.round(performance.now() - begun);
      metrics.toolCalls.inc({
        tool,
        outcome: outcome.isError ? 'error' : 'ok',
      });
      metrics.toolCallDuration.observe({ tool }, durationMs / 1_000);
      return ledger.settleToolCall(task, {
        ...{ ...call, step, ...outcome, durationMs },
        maxCharacters: resultCharactersOf(task.agent),
      });
    }),
});

type Outcome = { output: JsonValue; summary: string; isError: boolean; misuse?: ToolMisuse };

async function attempt(
  tool: Tool | undefined,
  input: JsonValue,
  { task, step, call, signal }: Pick<RunTool, 'task' | 'step' | 'call'> & { signal: AbortSignal },
): Promise<Outcome> {
  if (!tool) return refused(`There is no tool "${call.tool}".`, 'unknown_tool');
  try {
    const scope = { tenant: task.tenant, subject: task.subject };
    return {
      ...(await tool.run(input, {
        scope,
        taskId: task.taskId,
        receiptKey: `${task.taskId}/${step}/${call.callId}`,
        signal,
        leaving: async () => {},
      })),
      isError: false,
    };
  } catch (error) {
    const known = alfredErrorOf(error);
    if (signal.aborted) throw error;
    if (maxAttemptsOf(known.code) === 1)
      return refused(known.message, known.code === 'invalid_request' ? 'invalid_arguments' : undefined);
    throw known.code === 'internal'
      ? new AlfredError('tool_failed', `The tool ${call.tool} failed after several attempts.`, { cause: error })
      : known;
  }
}

const refused = (message: string, misuse?: ToolMisuse): Outcome => ({
  output: { error: message },
  summary: message,
  isError: true,
  ...(misuse ? { misuse } : {}),
});
