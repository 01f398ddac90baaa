import { createHash } from 'node:crypto';
import { type JsonValue, parseJson } from '../../contract/json.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';

type ToolCall = AssistantPart & { type: 'tool_call' };
/** A call as the provider sends it: the arguments are text, and the id may be missing. */
export type RawToolCall = { id?: string | undefined; tool: string; arguments: string; extra?: ToolCall['extra'] };

/**
 * Turns the calls of a response into stored calls. Results are stored by call id, and some servers send no ids or
 * repeat an id of the conversation: such a call gets a generated id, the same in every attempt.
 */
export function storedToolCalls(request: ModelRequest, rawCalls: RawToolCall[]): ToolCall[] {
  const usedIds = new Set(request.messages.flatMap(callIdsIn));
  return rawCalls.map(({ id, tool, arguments: text, extra }, i) => {
    const callId = id && !usedIds.has(id) ? id : generatedCallId(request.idempotencyKey, i);
    usedIds.add(callId);
    return { type: 'tool_call', callId, tool, ...parseArguments(text), ...(extra ? { extra } : {}) };
  });
}

const callIdsIn = (message: ModelRequest['messages'][number]) =>
  message.role === 'assistant' ? message.parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : [])) : [];

/** Nine letters and digits: the form that the strictest server (Mistral) accepts. */
const generatedCallId = (key: string, index: number) =>
  createHash('sha256').update(`${key}/${index}`).digest('hex').slice(0, 9);

/** Models often call a tool without parameters with an empty text or null: both mean {}. */
function parseArguments(text: string): { arguments: JsonValue; malformed?: string } {
  if (['', 'null'].includes(text.trim())) return { arguments: {} };
  const value = parseJsonObject(text);
  return value === undefined ? { arguments: {}, malformed: text } : { arguments: value };
}

/** @returns undefined when the text is not a JSON object */
export function parseJsonObject(text: string): { [key: string]: JsonValue } | undefined {
  const value = parseJson(text) as JsonValue | undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/**
 * A call's id in a form that the provider accepts. Another provider may have given the id, so one that does not match
 * `format` is replaced by a generated id, always the same for the same call.
 */
export const providerCallId = (callId: string, format: RegExp) =>
  format.test(callId) ? callId : generatedCallId(callId, 0);

/** A tool's name in a form that every provider accepts. The model may have invented the name. */
export const providerToolName = (tool: string) => tool.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_';
