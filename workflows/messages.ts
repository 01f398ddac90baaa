import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BudgetLimits } from '../contract/references.ts';

/** To a waiting task: go on. */
export const resumeSignal = defineSignal('resume');

/** To the workflow that watches an outage: a task was parked, look again. */
export const parkedSignal = defineSignal('parked');

/** New totals of the limits that shall be wider, or the end with what there is. */
export type BudgetGrant = Omit<BudgetLimits, 'waitS'> & { finish?: boolean | undefined };

/** To a task: more budget, or its end with what it has. @returns all its limits; refused with `budget_refused` */
export const budgetUpdate = defineUpdate<BudgetLimits, [BudgetGrant]>('budget');
