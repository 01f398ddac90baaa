import { ActivityCancelledError, ActivityPausedError, ActivityResetError, type Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { AlfredError } from '../../contract/errors.ts';
import type { Workflows } from '../../contract/ports/index.ts';
import { orUnavailable } from './or-unavailable.ts';

/** What Temporal knows of the attempts at an activity. */
export const createAttempts = (client: Client): Pick<Workflows, 'howAttemptEnded' | 'recordProgress'> => ({
  async howAttemptEnded({ workflowId, runId }, activityId) {
    const { raw } = await orUnavailable(client.workflow.getHandle(workflowId, runId).describe());
    const activity = raw.pendingActivities?.find((pending) => pending.activityId === activityId);
    const { TIMEOUT_TYPE_HEARTBEAT, TIMEOUT_TYPE_START_TO_CLOSE } = proto.temporal.api.enums.v1.TimeoutType;
    const timeoutType = activity?.lastFailure?.timeoutFailureInfo?.timeoutType;
    if (timeoutType === TIMEOUT_TYPE_HEARTBEAT) return 'silent';
    return timeoutType === TIMEOUT_TYPE_START_TO_CLOSE ? 'out_of_time' : 'otherwise';
  },

  async recordProgress(taskToken, progress) {
    try {
      await client.activity.heartbeat(taskToken, progress);
    } catch (error) {
      // Recorded all the same: the worker's own heartbeats bring the rest.
      if (isRequestToStop(error)) return;
      throw new AlfredError('temporal_unavailable', undefined, { cause: error });
    }
  },
});

const isRequestToStop = (error: unknown) =>
  error instanceof ActivityCancelledError ||
  error instanceof ActivityPausedError ||
  error instanceof ActivityResetError;
