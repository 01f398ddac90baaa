import { createHash } from 'node:crypto';
import { type JsonValue, parseJson } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';

type ToolCall = AssistantPart & { type: 'tool_call' };
/** A call as the model wrote it: its arguments are text, and its id may be missing. */
export type WrittenCall = { id?: string | undefined; tool: string; arguments: string };

/**
 * Calls of one response, as they are kept. Ids are made for calls that have none or one that was used before in the
 * conversation, as small servers do: results are kept by them.
 */
export function keptCalls(request: ModelRequest, written: WrittenCall[]): ToolCall[] {
  const used = new Set(request.messages.flatMap(callIdsIn));
  return written.map(({ id, tool, arguments: text }, i) => {
    const callId = id && !used.has(id) ? id : madeId(request.idempotencyKey, i);
    used.add(callId);
    return { type: 'tool_call', callId, tool, ...readArguments(text) };
  });
}

const callIdsIn = (message: ModelRequest['messages'][number]) =>
  message.role === 'assistant' ? message.parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : [])) : [];

/** Nine letters and digits, which is what the strictest server takes. */
const madeId = (idempotencyKey: string, i: number) =>
  createHash('sha256').update(`${idempotencyKey}/${i}`).digest('hex').slice(0, 9);

/** A tool without parameters is often called with nothing at all, or with null. */
function readArguments(text: string): { arguments: JsonValue; malformed?: string } {
  if (['', 'null'].includes(text.trim())) return { arguments: {} };
  const value = objectIn(text);
  return value === undefined ? { arguments: {}, malformed: text } : { arguments: value };
}

/** The JSON object that a text is, or undefined when it is none. */
export function objectIn(text: string): { [key: string]: JsonValue } | undefined {
  const value = parseJson(text) as JsonValue | undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/** A call's id as a provider takes it back: another one may have made it. Ids that do not fit get one that does, always the same. */
export const wireId = (callId: string, fits: RegExp) => (fits.test(callId) ? callId : madeId(callId, 0));

/** A tool's name as every provider takes it back: the model may have made it up. */
export const wireName = (tool: string) => tool.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_';
