import { AlfredError } from '../../contract/errors.ts';
import type { ModelProvider, ModelRequest, Purpose, TaskEvents, TextSource } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { Logger } from '../../runtime/logger.ts';
import { showProgress } from '../activity-context.ts';
import type { RunningCall } from './running-call.ts';
import { createTextWriter } from './text-writer.ts';

type Streamed = {
  task: TaskRef;
  source: TextSource;
  purpose: Purpose;
  provider: ModelProvider;
  request: ModelRequest;
};

/**
 * Consumes the provider's events. The text of a step is also streamed to those who follow the task.
 *
 * @returns the whole text if it is not known whether all of it was streamed
 * @throws AlfredError `superseded` when the text of this call is not wanted any more
 */
export async function streamText(
  { events, log }: { events: TaskEvents; log: Logger },
  running: RunningCall,
  { task, source, purpose, provider, request }: Streamed,
  cancelled: AbortSignal,
): Promise<string | undefined> {
  const superseded = new AbortController();
  const either = linkAbort([cancelled, superseded.signal]);
  const write = async (mayStream: Promise<boolean>) => {
    if (!(await mayStream)) superseded.abort(new AlfredError('superseded'));
  };
  const writer = createTextWriter(
    {
      append: (text) => write(events.appendText(task, source, text)),
      complete: (text) => write(events.completeText(task, source, text)),
    },
    (error) =>
      log.warn({ err: error, taskId: task.taskId, step: source.step }, 'streamed text could not be written yet'),
  );
  let unwritten: string | undefined;
  try {
    for await (const event of provider.stream(request, either.signal)) {
      running.take(event);
      showProgress({ model: request.model, outputTokens: estimateTokens(running.text.length) });
      if (event.type === 'text' && purpose === 'turn') writer.write(event.text);
    }
  } catch (error) {
    // After our abort a provider throws an error of its own: throw the reason for the abort instead.
    superseded.signal.throwIfAborted();
    throw error;
  } finally {
    either.release();
    unwritten = await writer.close();
  }
  superseded.signal.throwIfAborted();
  return unwritten;
}
