import { randomUUID } from 'node:crypto';
import type { BusyPolicy, Conversation, ConversationEvent } from '../../contract/conversation.ts';
import { ApiProblem, type ApiClient } from '../client/api-client.ts';
import { followConversation } from '../client/follow-events.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { createAwaited } from './pending-replies.ts';
import { createSpeaker } from './message-sender.ts';
import { short } from './conversation-view.ts';

type Options = {
  api: ApiClient;
  /** Asked each time: it may be another one by then. */
  terminal: () => Terminal;
  agent: string | undefined;
  onBusy: BusyPolicy | undefined;
  found: Conversation | undefined;
};

/** One stay in a conversation: what is said here, and what is heard meanwhile. */
export function createSession({ api, terminal, agent, onBusy, found }: Options) {
  const leaving = new AbortController();
  const { signal } = leaving;
  const broken = Promise.withResolvers<never>();
  // Whoever waits for it hears of it; nobody may have to.
  broken.promise.catch(() => undefined);
  const awaited = createAwaited();
  const say = (line: string) => terminal().note(line, 'dim');
  const speaker = createSpeaker({ api, say, agent, onBusy, found, signal });
  /** On their way: whether they arrived is not known. */
  const unheard = new Map<string, string>();

  async function send(id: string, text: string) {
    try {
      await speaker.send(id, text);
      unheard.delete(id);
    } catch (error) {
      if (signal.aborted) return;
      unheard.delete(id);
      if (!(error instanceof ApiProblem) || !speaker.conversation()) return broken.reject(error);
      // The stream tells of one that was rejected, in its place.
      if (error.code !== 'conversation_busy') terminal().note(`Not sent: “${short(text)}”\n${error.message}`);
      awaited.refused(id);
    }
  }

  return {
    awaited,
    /** Rejects when the conversation cannot go on. */
    broken: broken.promise,
    conversation: speaker.conversation,
    /** Aborts on leaving. */
    signal,

    /** Sends it behind what was said before. */
    say(text: string): Promise<void> {
      const id = randomUUID();
      awaited.add(id);
      unheard.set(id, text);
      return send(id, text);
    },

    stop: () =>
      speaker.stop().catch((error: Error) => {
        if (!signal.aborted) terminal().note(`Could not stop it: ${error.message}`);
        return undefined;
      }),

    /** Every event from the given one on, once there is a conversation; ends when it is deleted. */
    async follow(after: number, hear: (event: ConversationEvent) => void) {
      const { id } = await speaker.begun;
      const onWait = () =>
        terminal().note('The connection broke. What runs goes on; waiting for Alfred to answer again …', 'dim');
      for await (const event of followConversation(api, id, { after, signal, onWait })) {
        awaited.take(event);
        hear(event);
      }
    },

    /** Ends what is under way here; what runs in the conversation goes on. @returns what may not have been sent */
    leave(): string[] {
      leaving.abort();
      return [...unheard.values()];
    },
  };
}
export type Session = ReturnType<typeof createSession>;
