import { randomUUID } from 'node:crypto';
import { Conversation, MessageReceipt, StopReceipt, type BusyPolicy } from '../../contract/conversation.ts';
import type { ApiClient } from '../client/api-client.ts';
import { untilAnswered } from '../client/until-answered.ts';

type Options = {
  api: ApiClient;
  /** Says that the server is away. */
  say: (line: string) => void;
  agent: string | undefined;
  onBusy: BusyPolicy | undefined;
  /** The conversation to go on with; without it, the first message makes one. */
  found: Conversation | undefined;
  signal: AbortSignal;
};

export const conversationPath = (id: string) => `/v1/conversations/${encodeURIComponent(id)}`;

/**
 * Says things in a conversation, one after the other: the next request leaves when the one before is answered, so that
 * the order stays. Each is safe to repeat, and is repeated while the server is away.
 */
export function createSpeaker({ api, say, agent, onBusy, found, signal }: Options) {
  const begun = Promise.withResolvers<Conversation>();
  if (found) begun.resolve(found);
  let conversation = found;
  let before: Promise<unknown> = Promise.resolve();

  function inTurn<T>(request: () => Promise<T>): Promise<T> {
    const answer = before.then(request);
    before = answer.catch(() => undefined);
    return answer;
  }

  async function begin() {
    const headers = { 'idempotency-key': randomUUID() };
    conversation = await untilAnswered(
      () => api.call('/v1/conversations', { method: 'POST', json: { agent }, headers, signal, answer: Conversation }),
      { say, signal },
    );
    begun.resolve(conversation);
    return conversation;
  }

  return {
    /** Resolves once there is a conversation to follow. */
    begun: begun.promise,
    conversation: () => conversation,
    /** @param id the message's own name: by it a repeat is known */
    send: (id: string, text: string): Promise<MessageReceipt> =>
      inTurn(async () => {
        const path = `${conversationPath((conversation ?? (await begin())).id)}/messages`;
        const json = { id, text, onBusy };
        return untilAnswered(() => api.call(path, { method: 'POST', json, signal, answer: MessageReceipt }), {
          ...{ say, signal, wasThere: true },
        });
      }),
    /** Cancels what runs and drops what waits. @returns undefined when nothing was said yet */
    stop: (): Promise<StopReceipt | undefined> =>
      inTurn(async () => {
        if (!conversation) return undefined;
        const path = `${conversationPath(conversation.id)}/stop`;
        return untilAnswered(() => api.call(path, { method: 'POST', json: {}, signal, answer: StopReceipt }), {
          ...{ say, signal, wasThere: true },
        });
      }),
  };
}
