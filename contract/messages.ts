import type { JsonValue } from './json.ts';
import type { ContentHash, CorrectionReason, MessageHead, ToolMisuse } from './references.ts';

/**
 * A conversation in no provider's dialect. Stored as a chain, each message naming its parent; tool results are
 * kept by reference and resolved when a model is called.
 */
export type UserMessage = {
  role: 'user';
  text: string;
  tool?: { name: string; arguments: JsonValue };
  /** Present when Alfred says it and not a person: what was wrong with the answer before. */
  because?: CorrectionReason;
  /** In the first message of a conversation: its id, so that no two conversations share a message and each can be erased. */
  conversation?: string;
};
/** A place in a passage's text (UTF-16 code units), and what stands there. */
export type CitedPlace = { chunkId: string; start: number; end: number; quote: string };
export type AssistantPart =
  /** `citations`: where the provider says that it stands, in the order in which it was cited. Older messages have none. */
  | { type: 'text'; text: string; citations?: CitedPlace[] }
  /** `malformed`: what the model sent instead of JSON; `arguments` is {} then. */
  | { type: 'tool_call'; callId: string; tool: string; arguments: JsonValue; malformed?: string }
  /** A provider's own block, kept intact and given back to that provider only (thinking, for example). */
  | { type: 'opaque'; provider: string; value: JsonValue };
export type AssistantMessage = { role: 'assistant'; parts: AssistantPart[] };
export type ToolMessage = {
  role: 'tool';
  results: {
    callId: string;
    tool: string;
    result: ContentHash;
    isError: boolean;
    misuse?: ToolMisuse;
    repeated?: true;
    /** The result made room; the model reads on with `read_result`. */
    dropped?: true;
  }[];
};
/** The root of a chain that was made shorter; nothing of `from` is lost, it only no longer goes to the model. */
export type CompactionMessage = {
  role: 'compaction';
  from: MessageHead;
  /** What a model wrote about the messages that are no longer here. */
  summary?: string;
  /** Numbers of passages given so far, by chunk id: [n] means the same before and after. */
  passages: Record<string, number>;
  /** The numbers that a tool result was the first to show, by its hash: an answer may cite them later. Older chains have none. */
  shownBy?: Record<ContentHash, number[]>;
};
export type StoredMessage = UserMessage | AssistantMessage | ToolMessage | CompactionMessage;
