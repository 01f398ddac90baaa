import { activityInfo, ApplicationFailure, cancellationSignal } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AlfredError, maxAttemptsOf } from '../contract/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { alfredErrorOf, isShutdown } from './errors.ts';

/**
 * The activity edge: turns whatever an activity throws into a failure Temporal understands. The code decides how often
 * it is tried; what an unknown error says stays in the log, never in history.
 */
export const createActivityInterceptor = (log: Logger): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      const signal = cancellationSignal();
      // Asked to stop by the server: say so. Stopped by our own shutdown: somebody else takes over.
      if (signal.aborted && !isShutdown(signal)) throw signal.reason;
      const known = signal.aborted ? new AlfredError('draining') : alfredErrorOf(error);
      const { activityType, attempt, workflowExecution } = activityInfo();
      const final = (known.failures ?? attempt) >= maxAttemptsOf(known.code);
      const details = { activityType, attempt, workflowId: workflowExecution?.workflowId, code: known.code, final };
      log[known.code === 'internal' ? 'error' : 'warn'](
        { ...details, err: known.cause ?? known },
        'an activity failed',
      );
      const failure = ApplicationFailure.create({
        type: known.code,
        message: known.message,
        nonRetryable: final,
        ...(known.details ? { details: [known.details] } : {}),
        ...(known.retryAfterMs !== undefined ? { nextRetryDelay: known.retryAfterMs } : {}),
      });
      // The log has the stack; history would keep the paths of this machine for ever.
      failure.stack = '';
      throw failure;
    }
  },
});
