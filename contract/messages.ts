import type { JsonValue } from './json.ts';
import type { ContentHash } from './references.ts';

/**
 * A conversation in no provider's dialect. Stored as a chain, each message naming its parent; tool results are
 * kept by reference and resolved when a model is called.
 */
export type UserMessage = { role: 'user'; text: string; tool?: { name: string; arguments: JsonValue } };
export type AssistantPart =
  | { type: 'text'; text: string }
  | { type: 'tool_call'; callId: string; tool: string; arguments: JsonValue }
  /** A provider's own block, kept intact and given back to that provider only (thinking, for example). */
  | { type: 'opaque'; provider: string; value: JsonValue };
export type AssistantMessage = { role: 'assistant'; parts: AssistantPart[] };
export type ToolMessage = {
  role: 'tool';
  results: { callId: string; tool: string; result: ContentHash; isError: boolean }[];
};
export type StoredMessage = UserMessage | AssistantMessage | ToolMessage;
