import { activityInfo } from '@temporalio/activity';
import type { Run } from '../contract/ports/index.ts';

/** The Temporal run this activity works for. */
export const currentRun = (): Run => ({ runId: activityInfo().workflowExecution?.runId ?? '' });
