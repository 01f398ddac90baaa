import { totalTokens, type MessageHead, type TaskRef } from '../../../contract/references.ts';
import type { CompletedModelCall } from '../../../contract/ports/index.ts';
import { contentHash } from '../hashes.ts';
import { insertContent } from '../messages/contents.ts';
import { insertMessage } from '../messages/message-store.ts';
import { storableJson } from '../storable-json.ts';
import type { Queries } from '../with-queries.ts';

/** The query of `endModelCall` that gives the row of the call that it ends. */
const owner = 'ended';

export type StoredResponse = { head: MessageHead; resultHash: string | null; queries: Queries };

/**
 * The statements that store the response of a completed call: the model's message with the size of the conversation, a
 * correction behind it, and the final answer. A summary adds no message.
 *
 * They are a part of `endModelCall`, and store nothing when it ends no call: then no row would lead to what is stored,
 * and no deletion would find it.
 */
export function storeResponse(
  task: TaskRef,
  { parent, parts, usage, provider, model, purpose, result, correction }: CompletedModelCall,
): StoredResponse {
  const queries: Queries = {};
  let head = parent;
  let resultHash = null;
  if (purpose === 'turn') {
    // A response that no model made counts nothing.
    const tokens = totalTokens(usage);
    const size = tokens > 0 ? { tokens, by: `${provider}:${model}` } : undefined;
    const message = insertMessage(task, parent, { role: 'assistant', parts }, { size, owner });
    queries['message'] = message.statement;
    head = message.head;
    if (correction) {
      const { because, text } = correction;
      const correcting = insertMessage(task, head, { role: 'user', text, because }, { owner });
      queries['correction'] = correcting.statement;
      head = correcting.head;
    }
  }
  if (result) {
    const content = storableJson(result);
    resultHash = contentHash(content);
    queries['content'] = insertContent(task, resultHash, content, owner);
  }
  return { head, resultHash, queries };
}
