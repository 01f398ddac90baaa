import { defineSignal } from '@temporalio/workflow';

/** To a waiting task: go on. */
export const resumeSignal = defineSignal('resume');

/** To the workflow that watches an outage: a task was parked, look again. */
export const parkedSignal = defineSignal('parked');
