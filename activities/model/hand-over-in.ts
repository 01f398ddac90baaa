import { HandOver } from '../../contract/delegation.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { CompletedModelCall } from '../../contract/ports/index.ts';

/**
 * The handover of the conversation that a response asks for with the tool `hand_over`, as the answer of the task. It is
 * stored as text in place of the call, which will have no result. It takes effect when the turn ends.
 *
 * @param heirs the agents that can take over now
 * @returns undefined when the response hands nothing over, makes other calls too, or names no such agent
 */
export function handOverIn(
  parts: AssistantPart[],
  heirs: readonly string[],
): Pick<CompletedModelCall, 'parts' | 'result'> | undefined {
  const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [part] : []));
  const [call] = calls;
  if (call?.tool !== 'hand_over' || calls.length > 1 || call.malformed !== undefined) return undefined;
  const asked = HandOver.safeParse(call.arguments);
  if (!asked.success || !heirs.includes(asked.data.agent)) return undefined;
  const { agent, message } = asked.data;
  const text = `${message}\n\nFrom your next message on, ${agent} answers here.`;
  return {
    parts: [...parts.filter(({ type }) => type === 'opaque'), { type: 'text', text }],
    result: { text, citations: [], handsOver: { agent } },
  };
}
