import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BudgetLimits, ContentHash, Verdict } from '../contract/references.ts';
import type { MessageReceipt, StopReceipt, StopRequest } from '../contract/conversation.ts';
import { signalName, updateName } from '../contract/ids.ts';

/** To a task that waits for a model: try again. */
export const resumeSignal = defineSignal(signalName.resume);

/** To the workflow that watches an outage: a task was parked, so check the rows again. */
export const parkedSignal = defineSignal(signalName.parked);

/** New, higher totals of some limits; or `finish`, to end the task with the result it has. */
export type BudgetGrant = Omit<BudgetLimits, 'waitS'> & { finish?: boolean | undefined };

/**
 * To a task: raise its budget, or end it with the result it has. @returns all its limits; refused with `budget_refused`
 */
export const budgetUpdate = defineUpdate<BudgetLimits, [BudgetGrant]>('budget');

/** A person's decision on one call. What the person adds is stored, and named here by its hash. */
export type DecisionRequest = {
  id: string;
  approve: boolean;
  by: string;
  roles: readonly string[];
  /** Hash of the arguments that the person saw. */
  argumentsHash?: string | undefined;
  note?: ContentHash | undefined;
};

/**
 * To a task that waits for a person. @returns the verdict that counts; refused with `approval_forbidden`,
 * `approval_changed`, `approval_decided`, or `invalid_request` when edited arguments do not fit the tool
 */
export const decideUpdate = defineUpdate<Verdict, [DecisionRequest]>('decide');

/** To a running task of a conversation: it has new messages to read at its next step. */
export const steerSignal = defineSignal(signalName.steer);

/**
 * To the workflow of a conversation, of a source or of embeddings: check the rows. There may be something to do, or the
 * conversation was deleted.
 */
export const wakeSignal = defineSignal(signalName.wake);

/** What is decided about a message. Its sender and text are in its row. */
export type MessageDecision = Pick<MessageReceipt, 'outcome' | 'position' | 'taskId' | 'runningTaskId'>;

/** To a conversation: a message was stored. @returns the decision; refused with `not_found` once it is deleted */
export const messageUpdate = defineUpdate<MessageDecision, [{ messageId: string }]>(updateName.message);

/** To a conversation: stop the running task, and drop or keep the queued messages. The reason is in the row. */
export const stopUpdate = defineUpdate<StopReceipt, [Pick<StopRequest, 'queued'>]>(updateName.stop);
