import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BudgetLimits, ContentHash, Verdict } from '../contract/references.ts';
import type { MessageReceipt, StopReceipt, StopRequest } from '../contract/conversation.ts';
import { signalName, updateName } from '../contract/ids.ts';

/** To a waiting task: go on. */
export const resumeSignal = defineSignal(signalName.resume);

/** To the workflow that watches an outage: a task was parked, look again. */
export const parkedSignal = defineSignal(signalName.parked);

/** New totals of the limits that shall be wider, or the end with what there is. */
export type BudgetGrant = Omit<BudgetLimits, 'waitS'> & { finish?: boolean | undefined };

/** To a task: more budget, or its end with what it has. @returns all its limits; refused with `budget_refused` */
export const budgetUpdate = defineUpdate<BudgetLimits, [BudgetGrant]>('budget');

/** A decision about one call; what a person adds to it is stored, and named by its hash. */
export type DecisionRequest = {
  id: string;
  approve: boolean;
  by: string;
  roles: readonly string[];
  /** What the person saw. */
  argumentsHash?: string | undefined;
  note?: ContentHash | undefined;
};

/**
 * To a task that waits for a person. @returns what counts; refused with `approval_forbidden`, `approval_changed`,
 * `approval_decided`, or `invalid_request` when edited arguments do not fit the tool
 */
export const decideUpdate = defineUpdate<Verdict, [DecisionRequest]>('decide');

/** To a running task of a conversation: messages were given to it, to be read at its next step. */
export const steerSignal = defineSignal(signalName.steer);
/** To a running task: a message of its conversation was given to it. */
/** To a conversation, or to whoever makes vectors: look at your rows. There may be something to do, or it was deleted. */
export const wakeSignal = defineSignal(signalName.wake);
/** What is decided about a message; who said what stands in its row. */
export type MessageDecision = Pick<MessageReceipt, 'outcome' | 'position' | 'taskId' | 'runningTaskId'>;
/** To a conversation: a message was stored. @returns what becomes of it; refused with `not_found` once it is deleted */
export const messageUpdate = defineUpdate<MessageDecision, [{ messageId: string }]>(updateName.message);
/** To a conversation: stop what runs, drop or keep what waits. Why stands in its row. */
export const stopUpdate = defineUpdate<StopReceipt, [Pick<StopRequest, 'queued'>]>(updateName.stop);
