import { isRecord } from '../../contract/json.ts';
import type { Message } from '../../contract/ports/index.ts';

/**
 * Whether all that was called for the last question says that there is nothing to report. Never after a compaction: it
 * keeps the questions, and takes out results that may have had something to report.
 */
export function isQuiet(messages: readonly Message[]): boolean {
  if (messages[0]?.role === 'compaction') return false;
  const asked = messages.findLastIndex((message) => message.role === 'user' && !message.because);
  const results = messages.slice(asked + 1).flatMap((message) => (message.role === 'tool' ? message.results : []));
  return (
    results.length > 0 && results.every(({ isError, output }) => !isError && isRecord(output) && output.quiet === true)
  );
}
