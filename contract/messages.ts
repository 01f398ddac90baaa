import type { JsonValue } from './json.ts';
import type { ContentHash, CorrectionReason, MessageHead, ToolMisuse } from './references.ts';

// The messages of a conversation, independent of any model provider. They are stored as a chain: each message names its
// parent. Tool results are stored separately and loaded when a model is called.

export type UserMessage = {
  role: 'user';
  text: string;
  /** The tool that the user asks to call first. */
  tool?: { name: string; arguments: JsonValue };
  /** Present when Alfred wrote the message to correct the model: what was wrong with the model's previous answer. */
  because?: CorrectionReason;
  /**
   * The conversation's id, in its first message only. It makes the hashes of two conversations differ, so that they
   * share no stored message and each can be erased.
   */
  conversation?: string;
};

/** A quoted place in a passage. `start` and `end` are offsets into the passage's text, in UTF-16 code units. */
export type CitedPlace = { chunkId: string; start: number; end: number; quote: string };

export type AssistantPart =
  /** `citations`: the sources that the provider reported, in the order of citation. Older messages have none. */
  | { type: 'text'; text: string; citations?: CitedPlace[] }
  /**
   * `malformed`: the text that the model sent instead of JSON arguments; `arguments` is {} then. `extra`: fields of the
   * call that only its provider understands, like a signature. They are sent back to that provider unchanged.
   */
  | {
      type: 'tool_call';
      callId: string;
      tool: string;
      arguments: JsonValue;
      malformed?: string;
      extra?: { provider: string; value: JsonValue };
    }
  /**
   * A block that only its provider understands, like thinking. The block is stored unchanged and sent to that provider
   * only.
   */
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
    /** The result was removed from the context to save space. The model can read it with `read_result`. */
    dropped?: true;
  }[];
};

/** The first message of a chain after a compaction. The chain `from` stays stored, but the model no longer gets it. */
export type CompactionMessage = {
  role: 'compaction';
  from: MessageHead;
  /** A model's summary of the messages before this one. */
  summary?: string;
  /** Citation numbers assigned so far, by chunk id, so that [n] keeps its meaning after the compaction. */
  passages: Record<string, number>;
  /** The citation numbers that each tool result introduced, by the result's hash. Older chains have none. */
  shownBy?: Record<ContentHash, number[]>;
};

export type StoredMessage = UserMessage | AssistantMessage | ToolMessage | CompactionMessage;
