import { ApplicationFailure, cancellationSignal } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AlfredError } from '../contract/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { isFinal, isShutdown, toAlfredError } from './activity-context.ts';
import { activityIds, logActivity } from './log-activity.ts';

/**
 * Turns any error of an activity into a failure that Temporal understands. The error code decides how often the
 * activity is attempted. The text of an unknown error goes to the log, never into history.
 */
export const createActivityInterceptor = (log: Logger): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    const startedAt = performance.now();
    try {
      const result = await next(input);
      logActivity(log, input.args[0], { result, ms: Math.round(performance.now() - startedAt) });
      return result;
    } catch (error) {
      const signal = cancellationSignal();
      // Cancelled by the server: report the cancellation. Aborted by our own shutdown: another worker continues.
      if (signal.aborted && !isShutdown(signal)) throw signal.reason;
      const alfredError = signal.aborted ? new AlfredError('draining') : toAlfredError(error);
      const final = isFinal(alfredError);
      const details = { ...activityIds(input.args[0]), code: alfredError.code, final };
      log[alfredError.code === 'internal' ? 'error' : 'warn'](
        { ...details, err: alfredError.cause ?? alfredError },
        'an activity failed',
      );
      const failure = ApplicationFailure.create({
        type: alfredError.code,
        message: alfredError.message,
        nonRetryable: final,
        ...(alfredError.details ? { details: [alfredError.details] } : {}),
        ...(alfredError.retryAfterMs !== undefined ? { nextRetryDelay: alfredError.retryAfterMs } : {}),
      });
      // The log has the stack. In history it would keep the file paths of this machine.
      failure.stack = '';
      throw failure;
    }
  },
});
