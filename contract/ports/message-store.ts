import type { JsonValue } from '../json.ts';
import type { Memory } from '../memories.ts';
import type { StoredMessage, ToolMessage } from '../messages.ts';
import type { ContentHash, MessageHead, Scope, TaskRef } from '../references.ts';

/** A stored message as a model gets it: with the tool results instead of their hashes. */
export type Message =
  | Exclude<StoredMessage, { role: 'tool' }>
  | { role: 'tool'; results: { callId: string; tool: string; output: JsonValue; isError: boolean }[] };

/** A conversation as it goes to a model, oldest message first. */
export type MessageChain = {
  messages: Message[];
  /** The same messages as they are stored, for compaction. */
  stored: StoredMessage[];
  /**
   * The last count of the conversation's tokens by a model.
   *
   * - `index`: the last message that was counted, as an index into `messages`
   * - `tokens`: the tokens up to and including that message
   * - `by`: the model that counted, as `provider:model`
   */
  counted?: { index: number; tokens: number; by: string } | undefined;
};

/** A message, and the one that it follows. */
export type NextMessage = { parent: MessageHead; message: StoredMessage };

/** What a step of a task begins with. */
export type OpenedStep = {
  /** Names the chain with the message that is not stored yet. */
  head: MessageHead;
  conversation: MessageChain;
  unstored?: NextMessage | undefined;
  instructions: TaskInstructions;
};

/** The instructions of a task beside those of its agent. */
export type TaskInstructions = {
  /** What the tenant has in place of those of the agent, in the version of the task. */
  own?: string | undefined;
  /** What the conversation adds. */
  added?: string | undefined;
  /** The memories that the task was given, as far as its owner may read them now. */
  memories?: Memory[] | undefined;
  /** None were looked for yet, and there are some. */
  mayRecall: boolean;
};

/** Conversations as immutable chains of messages. A head, the hash of the last message, names a whole chain. */
export interface MessageStore {
  /**
   * Appends a message to the chain that ends with `parent`, or begins a chain when `parent` is null. Safe to repeat.
   *
   * @returns the new head
   */
  append(scope: Scope, parent: MessageHead | null, message: StoredMessage): Promise<MessageHead>;

  /**
   * Loads the chain back to its first message or last compaction, with tool results filled in.
   *
   * @throws AlfredError `internal` when a message or result is not stored for this scope
   */
  load(scope: Scope, head: MessageHead): Promise<MessageChain>;

  /**
   * Loads what a step of a task begins with, as `load` does. A message that follows `head` is added to the chain and
   * not stored: the call that is made with it stores it.
   *
   * @param next the results of the calls that the message at `head` asks for
   */
  openStep(task: TaskRef, head: MessageHead, next?: ToolMessage): Promise<OpenedStep>;

  /** Loads the whole chain, with the messages that compactions replaced. Throws as `load`. */
  loadAll(scope: Scope, head: MessageHead): Promise<Message[]>;

  /** Loads stored tool results by their hashes, in any order. Unknown hashes are left out. */
  loadResults(scope: Scope, hashes: ContentHash[]): Promise<JsonValue[]>;

  /** Stores a chain that begins with a compaction. Safe to repeat. @returns its head */
  storeCompacted(scope: Scope, messages: StoredMessage[]): Promise<MessageHead>;

  /**
   * Finds the stored result of a tool call of this task, or of another task of its conversation.
   *
   * @returns the result as JSON text; undefined when there is none
   */
  findToolResult(scope: Scope, taskId: string, callId: string): Promise<string | undefined>;

  /**
   * Loads the arguments of a tool call in the message at `head`.
   *
   * @returns `malformed`: the model's text, when that was not JSON
   * @throws AlfredError `internal` when the message has no such call
   */
  loadToolArguments(
    scope: Scope,
    head: MessageHead,
    callId: string,
  ): Promise<{ arguments: JsonValue; malformed?: string }>;
}
