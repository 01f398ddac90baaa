import { Question } from '../../contract/delegation.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { CompletedModelCall } from '../../contract/ports/index.ts';

/**
 * The question that a response asks the person with the tool `ask_person`, as the answer of the task. It is stored as
 * text in place of the call, which will have no result: the next message of the conversation answers it.
 *
 * @param tools those that the agent may call
 * @returns undefined when the response asks nothing, makes other calls too, or asks with wrong arguments
 */
export function questionIn(
  parts: AssistantPart[],
  tools: readonly string[],
): Pick<CompletedModelCall, 'parts' | 'result'> | undefined {
  const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [part] : []));
  const [call] = calls;
  if (call?.tool !== 'ask_person' || calls.length > 1 || call.malformed !== undefined || !tools.includes(call.tool))
    return undefined;
  const asked = Question.safeParse(call.arguments);
  if (!asked.success) return undefined;
  const { question, choices } = asked.data;
  const text = [question, ...(choices ?? []).map((choice) => `- ${choice}`)].join('\n');
  return {
    parts: [...parts.filter(({ type }) => type === 'opaque'), { type: 'text', text }],
    result: { text, citations: [], asks: { ...(choices ? { choices } : {}) } },
  };
}
