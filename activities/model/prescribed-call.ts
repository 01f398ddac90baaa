import { createHash } from 'node:crypto';
import { toolOfAgent, type Agent } from '../../agents/index.ts';
import { isRecord, type JsonValue } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { Message, ModelGate, ModelProvider, StopReason, Tool } from '../../contract/ports/index.ts';
import { noUsage } from '../../contract/references.ts';

/**
 * A step that is taken by code, without a model: the call that a user asked for, or the answer to it that its tool has
 * given. `data`: the answer as data.
 */
export type PrescribedStep =
  { call: { name: string; arguments: JsonValue } } | { answer: string; data: JsonValue | undefined };

/**
 * The step that a user's message decides.
 *
 * - A message that asks for a call and has not been answered yet: the call, because a model does not always follow
 *   words that ask for one.
 * - Words that the agent itself reads as a call, where no model is there that could.
 * - A call that was asked for and that a tool with `answers` has answered: its answer, because a model could misquote
 *   it.
 *
 * @returns undefined where a model decides
 */
export function prescribedStepIn(
  messages: Message[],
  {
    agent,
    tools,
    isOffline = false,
  }: { agent: Agent; tools: Readonly<Record<string, Tool>>; isOffline?: boolean | undefined },
): PrescribedStep | undefined {
  const [asked, , answered] = messages.slice(-3);
  const last = messages.at(-1);
  if (last?.role === 'user') {
    const call = last.tool ?? (isOffline && !last.because ? agent.offlineCall?.(last.text) : undefined);
    return call && { call };
  }
  if (asked?.role !== 'user' || !(asked.tool || isOffline) || answered?.role !== 'tool') return undefined;
  const [result, ...others] = answered.results;
  if (!result || others.length > 0 || result.isError || !toolOfAgent(agent, tools, result.tool)?.answers)
    return undefined;
  const { output } = result;
  return isRecord(output) && typeof output.answer === 'string'
    ? { answer: output.answer, data: output.data }
    : undefined;
}

/** A provider that responds with this step, and costs nothing. */
export const createPrescribedProvider = (name: string, prescribed: PrescribedStep): ModelProvider => ({
  name,
  async *stream({ idempotencyKey }, signal) {
    signal.throwIfAborted();
    const { costUsd: _, ...usage } = noUsage;
    if ('answer' in prescribed) yield { type: 'text', text: prescribed.answer };
    yield { type: 'usage', usage };
    yield { type: 'end', ...responseOf(prescribed, idempotencyKey) };
  },
});

function responseOf(prescribed: PrescribedStep, key: string): { parts: AssistantPart[]; stopReason: StopReason } {
  if ('answer' in prescribed) return { parts: [{ type: 'text', text: prescribed.answer }], stopReason: 'end' };
  // The same in every attempt, in the form that the strictest provider accepts: nine letters and digits.
  const callId = createHash('sha256').update(`${key}/prescribed`).digest('hex').slice(0, 9);
  const { name: tool, arguments: input } = prescribed.call;
  return { parts: [{ type: 'tool_call', callId, tool, arguments: input }], stopReason: 'tools' };
}

/** No model is called, so no model's state is asked or changed. */
export const openGate: ModelGate = {
  enter: async () => ({ open: true }),
  leave: async () => {},
  recordSuccess: async () => {},
  recordFailure: async () => false,
  recordDenial: async () => false,
  recordRateLimit: async () => {},
};
