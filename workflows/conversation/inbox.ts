import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { StopReceipt, StopRequest } from '../../contract/conversation.ts';
import type { MessageDecision } from '../signals-and-updates.ts';

type PendingMessage = { messageId: string; decision?: MessageDecision; isRefused?: true };
type PendingStop = Pick<StopRequest, 'queued'> & { receipt?: StopReceipt };
type DecidedMessage = MessageDecision & { id: string };

/**
 * Queues what update handlers receive. Each handler waits here until the conversation's loop has handled its request.
 */
export class Inbox {
  private messages: PendingMessage[] = [];
  private stops: PendingStop[] = [];
  /** True at first, because a new run must check its rows too. */
  private isWoken = true;

  get hasNews(): boolean {
    return this.messages.length > 0 || this.stops.length > 0 || this.isWoken;
  }

  wake() {
    this.isWoken = true;
  }

  /** Queues a message. @returns the decision. @throws `not_found` when the conversation is deleted */
  async submitMessage(messageId: string): Promise<MessageDecision> {
    const message: PendingMessage = { messageId };
    this.messages.push(message);
    await condition(() => message.decision !== undefined || message.isRefused === true);
    if (message.decision) return message.decision;
    throw ApplicationFailure.nonRetryable('The conversation was deleted.', 'not_found');
  }

  async submitStop({ queued }: Pick<StopRequest, 'queued'>): Promise<StopReceipt> {
    const stop: PendingStop = { queued };
    this.stops.push(stop);
    await condition(() => stop.receipt !== undefined);
    return stop.receipt ?? { stoppedTaskId: null, dropped: [] };
  }

  /** @returns whether a wake signal came since the last call */
  takeWake(): boolean {
    const { isWoken } = this;
    this.isWoken = false;
    return isWoken;
  }

  takeMessages(): PendingMessage[] {
    return this.messages.splice(0);
  }

  takeStop(): PendingStop | undefined {
    return this.stops.shift();
  }

  /** Gives each message its decision. A message without one is refused: its conversation is deleted. */
  settle(messages: PendingMessage[], decided: DecidedMessage[]) {
    const decisions = new Map(decided.map(({ id, ...decision }) => [id, decision]));
    for (const message of messages) {
      const decision = decisions.get(message.messageId);
      if (decision) message.decision = decision;
      else message.isRefused = true;
    }
  }
}
