import { defineSignal, defineUpdate } from '@temporalio/workflow';
import { signalName } from '../contract/ids.ts';
import type { BudgetLimits } from '../contract/references.ts';

/** To a waiting task: go on. */
export const resumeSignal = defineSignal(signalName.resume);

/** To the workflow that watches an outage: a task was parked, look again. */
export const parkedSignal = defineSignal(signalName.parked);

/** New totals of the limits that shall be wider, or the end with what there is. */
export type BudgetGrant = Omit<BudgetLimits, 'waitS'> & { finish?: boolean | undefined };

/** To a task: more budget, or its end with what it has. @returns all its limits; refused with `budget_refused` */
export const budgetUpdate = defineUpdate<BudgetLimits, [BudgetGrant]>('budget');
