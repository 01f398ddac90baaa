import { createHash } from 'node:crypto';
import type { Message, ModelGate, ModelProvider } from '../../contract/ports/index.ts';
import { noUsage } from '../../contract/references.ts';

/**
 * The tool call that a user asks for with a message, when the message has not been answered yet. It is made by code,
 * because a model does not always follow words that ask for a call.
 */
export function prescribedCallIn(messages: Message[]) {
  const last = messages.at(-1);
  return last?.role === 'user' ? last.tool : undefined;
}

/** A provider that answers with this call, and costs nothing. */
export const createPrescribedProvider = (
  name: string,
  tool: NonNullable<ReturnType<typeof prescribedCallIn>>,
): ModelProvider => ({
  name,
  async *stream({ idempotencyKey }, signal) {
    signal.throwIfAborted();
    const { costUsd: _, ...usage } = noUsage;
    yield { type: 'usage', usage };
    // The same in every attempt, in the form that the strictest provider accepts: nine letters and digits.
    const callId = createHash('sha256').update(`${idempotencyKey}/prescribed`).digest('hex').slice(0, 9);
    const call = { callId, tool: tool.name, arguments: tool.arguments };
    yield { type: 'end', parts: [{ type: 'tool_call', ...call }], stopReason: 'tools' };
  },
});

/** No model is called, so no model's state is asked or changed. */
export const openGate: ModelGate = {
  enter: async () => ({ open: true }),
  leave: async () => {},
  recordSuccess: async () => {},
  recordFailure: async () => false,
  recordDenial: async () => false,
  recordRateLimit: async () => {},
};
