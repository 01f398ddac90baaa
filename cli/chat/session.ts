import { randomUUID } from 'node:crypto';
import type { BusyPolicy, Conversation, ConversationEvent } from '../../contract/conversation.ts';
import { ApiProblem, type ApiClient } from '../client/api-client.ts';
import { followConversation } from '../client/follow-events.ts';
import { oneLine } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { createMessageSender } from './message-sender.ts';
import { createPendingReplies } from './pending-replies.ts';

type Options = {
  api: ApiClient;
  /** Called for each line: the interactive chat replaces the terminal after the session is created. */
  terminal: () => Terminal;
  agent: string | undefined;
  onBusy: BusyPolicy | undefined;
  /** The conversation to continue. Without it, the first message creates one. */
  resumed: Conversation | undefined;
};

/** The command's part in a conversation: sends messages, tracks their replies and follows the events. */
export function createSession({ api, terminal, agent, onBusy, resumed }: Options) {
  const leaving = new AbortController();
  const { signal } = leaving;
  const failure = Promise.withResolvers<never>();
  // Prevents an unhandled rejection while no code awaits it.
  failure.promise.catch(() => undefined);
  const pendingReplies = createPendingReplies();
  const notify = (line: string) => terminal().note(line, 'dim');
  const sender = createMessageSender({ api, notify, agent, onBusy, resumed, signal });
  /** Text by message id, of messages that the server has not confirmed yet. */
  const unconfirmed = new Map<string, string>();

  async function deliver(id: string, text: string) {
    try {
      await sender.send(id, text);
      unconfirmed.delete(id);
    } catch (error) {
      if (signal.aborted) return;
      unconfirmed.delete(id);
      if (!(error instanceof ApiProblem) || !sender.conversation()) return failure.reject(error);
      // The event stream reports a message that was rejected because the conversation is busy.
      if (error.code !== 'conversation_busy') terminal().note(`Not sent: “${oneLine(text)}”\n${error.message}`);
      pendingReplies.markRefused(id);
    }
  }

  return {
    pendingReplies,
    /** Rejects when the conversation cannot continue. */
    failure: failure.promise,
    conversation: sender.conversation,
    /** Aborts when the session is left. */
    signal,

    /** Sends a message after all earlier ones. Resolves when the server has taken or refused it; never rejects. */
    send(text: string): Promise<void> {
      const id = randomUUID();
      pendingReplies.add(id);
      unconfirmed.set(id, text);
      return deliver(id, text);
    },

    stop: () =>
      sender.stop().catch((error: Error) => {
        if (!signal.aborted) terminal().note(`Could not stop it: ${error.message}`);
        return undefined;
      }),

    /** Waits until there is a conversation, then passes on every event after `after`. Ends when it is deleted. */
    async follow(after: number, onEvent: (event: ConversationEvent) => void) {
      const { id } = await sender.ready;
      const onWait = () =>
        terminal().note('The connection broke. What runs goes on; waiting for Alfred to answer again …', 'dim');
      for await (const event of followConversation(api, id, { after, signal, onWait })) {
        pendingReplies.handleEvent(event);
        onEvent(event);
      }
    },

    /**
     * Aborts the session's requests. Tasks of the conversation keep running.
     *
     * @returns texts of messages that the server has not confirmed
     */
    leave(): string[] {
      leaving.abort();
      return [...unconfirmed.values()];
    },
  };
}
export type Session = ReturnType<typeof createSession>;
