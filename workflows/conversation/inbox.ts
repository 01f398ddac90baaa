import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { StopReceipt, StopRequest } from '../../contract/conversation.ts';
import type { MessageDecision } from '../messages.ts';

type Submission = { messageId: string; decision?: MessageDecision; isRefused?: true };
type Stop = Pick<StopRequest, 'queued'> & { receipt?: StopReceipt };
type Decided = MessageDecision & { id: string };

/** What came in and is not settled. Whoever brought it waits here for what comes of it. */
export class Inbox {
  private messages: Submission[] = [];
  private stops: Stop[] = [];
  /** A run that begins looks at its rows too. */
  private isWoken = true;

  get hasNews(): boolean {
    return this.messages.length > 0 || this.stops.length > 0 || this.isWoken;
  }

  wake() {
    this.isWoken = true;
  }

  async message(messageId: string): Promise<MessageDecision> {
    const submission: Submission = { messageId };
    this.messages.push(submission);
    await condition(() => submission.decision !== undefined || submission.isRefused === true);
    if (submission.decision) return submission.decision;
    throw ApplicationFailure.nonRetryable('The conversation was deleted.', 'not_found');
  }

  async stop({ queued }: Pick<StopRequest, 'queued'>): Promise<StopReceipt> {
    const stop: Stop = { queued };
    this.stops.push(stop);
    await condition(() => stop.receipt !== undefined);
    return stop.receipt ?? { stoppedTaskId: null, dropped: [] };
  }

  /** @returns whether somebody asked to look at the rows since the last time */
  takeWake(): boolean {
    const woken = this.isWoken;
    this.isWoken = false;
    return woken;
  }

  takeMessages(): Submission[] {
    return this.messages.splice(0);
  }

  takeStop(): Stop | undefined {
    return this.stops.shift();
  }

  /** Hands out what was decided; a message that is not there any more is refused. */
  settle(submissions: Submission[], decided: Decided[]) {
    const decisions = new Map(decided.map(({ id, ...decision }) => [id, decision]));
    for (const submission of submissions) {
      const decision = decisions.get(submission.messageId);
      if (decision) submission.decision = decision;
      else submission.isRefused = true;
    }
  }
}
