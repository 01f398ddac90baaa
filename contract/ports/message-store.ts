import type { JsonValue } from '../json.ts';
import type { StoredMessage } from '../messages.ts';
import type { ContentHash, MessageHead, Scope } from '../references.ts';

/** A stored message with its tool results filled in, as a model gets them. */
export type Message =
  | Exclude<StoredMessage, { role: 'tool' }>
  | { role: 'tool'; results: { callId: string; tool: string; output: JsonValue; isError: boolean }[] };

/** A conversation as it goes to a model, oldest message first. */
export type MessageChain = {
  messages: Message[];
  /** The same messages as they are stored, for compaction. */
  stored: StoredMessage[];
  /**
   * The last message at which a model has counted the conversation: its index in
   * `messages`, the tokens up to and including it, and the model (`provider:model`).
   */
  counted?: { index: number; tokens: number; by: string } | undefined;
};

/** Conversations as immutable chains of messages. A head, the hash of the last message, names a whole chain. */
export interface MessageStore {
  /** Appends a message; `parent` is null for the first one. Safe to repeat. @returns the new head */
  append(scope: Scope, parent: MessageHead | null, message: StoredMessage): Promise<MessageHead>;
  /**
   * Loads the chain back to its first message or last compaction, with tool results filled in.
   *
   * @throws AlfredError `internal` when a message or result is not stored for this scope
   */
  load(scope: Scope, head: MessageHead): Promise<MessageChain>;
  /** As `load`, but with the messages that compactions replaced. */
  loadAll(scope: Scope, head: MessageHead): Promise<Message[]>;
  /** Stored tool results by their hashes. */
  loadResults(scope: Scope, hashes: ContentHash[]): Promise<JsonValue[]>;
  /** Stores a chain that begins with a compaction. Safe to repeat. @returns its head */
  storeCompacted(scope: Scope, messages: StoredMessage[]): Promise<MessageHead>;
  /** The stored result of a tool call of this task, or of another task of its conversation, as JSON text. */
  findToolResult(scope: Scope, taskId: string, callId: string): Promise<string | undefined>;
  /**
   * The arguments of a tool call in the message at `head`. `malformed`: the model's text, when it was not JSON.
   *
   * @throws AlfredError `internal` when the message has no such call
   */
  loadToolArguments(
    scope: Scope,
    head: MessageHead,
    callId: string,
  ): Promise<{ arguments: JsonValue; malformed?: string }>;
}
