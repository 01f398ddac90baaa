import { AlfredError } from '../../contract/errors.ts';
import type { ModelProvider, ModelRequest, Purpose, TaskEvents, TextSource } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { estimateTokens } from '../../contract/rules/token-estimate.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { Logger } from '../../runtime/logger.ts';
import { showProgress } from '../activity-context.ts';
import type { RunningCall } from './running-call.ts';
import { createTextWriter, type UnwrittenText } from './text-writer.ts';

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
 * @returns the text that was not streamed: the caller stores it together with the response
 * @throws AlfredError `superseded` when the text of this call is not wanted any more
 */
export async function streamText(
  { events, log }: { events: TaskEvents; log: Logger },
  running: RunningCall,
  { task, source, purpose, provider, request }: Streamed,
  cancelled: AbortSignal,
): Promise<UnwrittenText> {
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
  const written = async (): Promise<UnwrittenText> => {
    either.release();
    const unwritten = await writer.close();
    superseded.signal.throwIfAborted();
    return unwritten;
  };
  try {
    for await (const event of provider.stream(request, either.signal)) {
      running.take(event);
      showProgress({ model: request.model, outputTokens: estimateTokens(running.text.length) });
      if (event.type === 'text' && purpose === 'turn') writer.write(event.text);
    }
  } catch (error) {
    // After our abort a provider throws an error of its own: throw the reason for the abort instead.
    await storeRest({ events, log }, { task, source }, await written());
    throw error;
  }
  return written();
}

/** Stores the end of the text of a call that failed. Its failure counts, not the text. */
export async function storeRest(
  { events, log }: { events: TaskEvents; log: Logger },
  { task, source }: Pick<Streamed, 'task' | 'source'>,
  { rest }: Pick<UnwrittenText, 'rest'>,
): Promise<void> {
  if (rest === '') return;
  try {
    await events.appendText(task, source, rest);
  } catch (error) {
    log.warn({ err: error, taskId: task.taskId, step: source.step }, 'streamed text could not be written');
  }
}
