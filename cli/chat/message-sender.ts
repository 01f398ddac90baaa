import { randomUUID } from 'node:crypto';
import { Conversation, MessageReceipt, StopReceipt, type BusyPolicy } from '../../contract/conversation.ts';
import type { ApiClient } from '../client/api-client.ts';
import { readLine } from '../client/typed-input.ts';
import { untilAnswered } from '../client/until-answered.ts';

type Options = {
  api: ApiClient;
  /** Called when the server does not answer and the sender waits. */
  notify: (line: string) => void;
  agent: string | undefined;
  onBusy: BusyPolicy | undefined;
  /** The conversation to continue. Without it, the first message creates one. */
  resumed: Conversation | undefined;
  signal: AbortSignal;
};

export const conversationPath = (id: string) => `/v1/conversations/${encodeURIComponent(id)}`;

/**
 * Sends messages of one conversation one after the other: a request starts when the one before it is answered, so that
 * their order stays. Every request is idempotent, and is repeated while the server does not answer.
 */
export function createMessageSender({ api, notify, agent, onBusy, resumed, signal }: Options) {
  const ready = Promise.withResolvers<Conversation>();
  if (resumed) ready.resolve(resumed);
  let conversation = resumed;
  let previous: Promise<unknown> = Promise.resolve();

  function inOrder<T>(request: () => Promise<T>): Promise<T> {
    const response = previous.then(request);
    previous = response.catch(() => undefined);
    return response;
  }

  async function createConversation() {
    const headers = { 'idempotency-key': randomUUID() };
    conversation = await untilAnswered(
      () => api.call('/v1/conversations', { method: 'POST', json: { agent }, headers, signal, answer: Conversation }),
      { notify, signal },
    );
    ready.resolve(conversation);
    return conversation;
  }

  return {
    /** Resolves when there is a conversation to follow. */
    ready: ready.promise,
    conversation: () => conversation,
    /** @param id the message's id: the server recognises a repeated request by it */
    send: (id: string, text: string): Promise<MessageReceipt> =>
      inOrder(async () => {
        const { id: conversationId, agent: name } = conversation ?? (await createConversation());
        const path = `${conversationPath(conversationId)}/messages`;
        const send = async () => {
          const json = { id, ...(await readLine(api, name, text)), onBusy };
          return api.call(path, { method: 'POST', json, signal, answer: MessageReceipt });
        };
        return untilAnswered(send, { notify, signal, hasAnsweredBefore: true });
      }),
    /** Cancels the running task and drops the queued messages. @returns undefined when there is no conversation yet */
    stop: (): Promise<StopReceipt | undefined> =>
      inOrder(async () => {
        if (!conversation) return undefined;
        const path = `${conversationPath(conversation.id)}/stop`;
        return untilAnswered(() => api.call(path, { method: 'POST', json: {}, signal, answer: StopReceipt }), {
          notify,
          signal,
          hasAnsweredBefore: true,
        });
      }),
  };
}
