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
  /** The same messages as they are stored, for whoever makes the chain shorter. */
  stored: StoredMessage[];
  /** The last message whose size a model has counted: its place in `messages`, and the tokens up to and including it. */
  counted?: { index: number; tokens: number; by: string } | undefined;
};

export interface MessageStore {
  append(scope: Scope, parent: MessageHead | null, message: StoredMessage): Promise<MessageHead>;
  /** The chain back to its root or its last compaction, tool results resolved. */
  load(scope: Scope, head: MessageHead): Promise<MessageChain>;
  /** As `load`, and on behind every compaction: all that was ever said. */
  loadAll(scope: Scope, head: MessageHead): Promise<Message[]>;
  /** Stored tool results by their hashes. */
  loadResults(scope: Scope, hashes: ContentHash[]): Promise<JsonValue[]>;
  /** Stores a chain that begins with a compaction. Safe to repeat. @returns its head */
  storeCompacted(scope: Scope, messages: StoredMessage[]): Promise<MessageHead>;
  /** A stored tool result of the task or an earlier one of its conversation, by its call's id, as text. */
  findToolResult(scope: Scope, taskId: string, callId: string): Promise<string | undefined>;
  /** What the message at `head` asks a tool with, by the call's id. `malformed`: what came instead of JSON. */
  loadToolArguments(scope: Scope, head: MessageHead, callId: string): Promise<{ arguments: JsonValue; malformed?: string }>;
}
