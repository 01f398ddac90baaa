import { AlfredError } from '../../contract/errors.ts';
import { toAlfredError } from '../activity-context.ts';
import type { Logger } from '../../runtime/logger.ts';

/**
 * Runs the parts of a step of the sweep one after the other, also after one has failed: callbacks do not wait until
 * Temporal can list workflows again.
 *
 * @throws the first error, when all parts have run. The step is not tried again: the others have done their work
 */
export async function runEach(
  { log, signal }: { log: Logger; signal: AbortSignal },
  parts: Record<string, () => Promise<void>>,
): Promise<void> {
  const errors: unknown[] = [];
  for (const [part, run] of Object.entries(parts)) {
    signal.throwIfAborted();
    try {
      await run();
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
      log.warn({ err: error, part }, 'a part of the sweep failed; the next round repeats it');
    }
  }
  if (errors.length === 0) return;
  const { code, message, cause } = toAlfredError(errors[0]);
  throw new AlfredError(code, message, { failures: Infinity, cause: cause ?? errors[0] });
}
