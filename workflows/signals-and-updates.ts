// The signals and updates that workflows accept.

import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Principal } from '../contract/principal.ts';
import type { BudgetLimits, ContentHash, Verdict } from '../contract/references.ts';
import type { MessageReceipt, StopReceipt, StopRequest } from '../contract/conversation.ts';
import { signalName, updateName } from '../contract/ids.ts';

/** Tells a task that waits because its model did not answer to call the model again. */
export const resumeSignal = defineSignal(signalName.resume);

/** Tells the workflow that watches an outage that one more task waits for the model. */
export const parkedSignal = defineSignal(signalName.parked);

/** Tells a running task of a conversation that it has new messages to read at its next step. */
export const steerSignal = defineSignal(signalName.steer);

/**
 * Tells the workflow of a conversation, of a source, of embeddings or of an undo to read its rows again. They may hold
 * new work, or the conversation or source was deleted.
 */
export const wakeSignal = defineSignal(signalName.wake);

/** Either new, higher totals of some limits, or `finish`, which ends the task with the results so far. */
export type BudgetGrant = Omit<BudgetLimits, 'waitS'> & { finish?: boolean | undefined };

/**
 * Raises the budget of a task, or ends the task with the results so far.
 *
 * @returns all limits of the task
 * @throws ApplicationFailure `budget_refused`: the grant names no limit, a limit that the task does not have, a total
 *   that is not higher, or not the limit at which the task waits; or `finish` came while the task waits for no budget
 */
export const budgetUpdate = defineUpdate<BudgetLimits, [BudgetGrant]>(updateName.budget);

/** A person's decision about one tool call. What the person adds is stored, and named here by its hash. */
export type DecisionRequest = {
  /** The approval's id. */
  id: string;
  /** True approves the call, false denies it. */
  approve: boolean;
  /** The subject of the person who decides. */
  by: string;
  /** The person's roles, which may give the right to decide. */
  roles: readonly string[];
  /** How the person proved who they are. Absent: an API of the version before sent it. */
  via?: Principal['via'] | undefined;
  /** Hash of the arguments that the person saw. When absent, the task does not compare them with the call's. */
  argumentsHash?: string | undefined;
  /** Hash of the stored comment and edited arguments. Absent when the person added neither. */
  note?: ContentHash | undefined;
};

/**
 * Gives a task a person's decision about one of its tool calls. The first decision counts. A repeat of the same
 * decision by the same person returns the same verdict.
 *
 * @returns the verdict that counts
 * @throws ApplicationFailure `not_found`: the task waits for no approval with this id
 * @throws ApplicationFailure `approval_forbidden`: this person may not decide about the call
 * @throws ApplicationFailure `approval_changed`: the call has other arguments than those that the person saw
 * @throws ApplicationFailure `approval_decided`: another decision counts, or the task no longer waits for this one
 * @throws ApplicationFailure `invalid_request`: the edited arguments do not fit the tool, or the tool no longer exists
 */
export const decideUpdate = defineUpdate<Verdict, [DecisionRequest]>(updateName.decide);

/** What a conversation has decided about a message. The message's sender and text are in its row. */
export type MessageDecision = Pick<MessageReceipt, 'outcome' | 'position' | 'taskId' | 'runningTaskId'>;

/**
 * Tells a conversation that a message was stored, and waits for the decision about it.
 *
 * @returns the decision
 * @throws ApplicationFailure `not_found`: the conversation was deleted
 */
export const messageUpdate = defineUpdate<MessageDecision, [{ messageId: string }]>(updateName.message);

/**
 * Tells a conversation to stop its running task, and to drop or keep its queued messages. The reason is in the
 * conversation's row.
 *
 * @returns the stopped task and the dropped messages
 */
export const stopUpdate = defineUpdate<StopReceipt, [Pick<StopRequest, 'queued'>]>(updateName.stop);
