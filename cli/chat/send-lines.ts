import { createInterface } from 'node:readline';
import { exitCodes } from '../cli-error.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Session } from './session.ts';

/** No more lines are read while this many messages wait for their replies. */
const maxUnanswered = 100;

/**
 * Sends each line of the input as a message.
 *
 * @returns the exit code, when the input has ended and all messages have been answered
 */
export async function sendLines(session: Session, input: NodeJS.ReadableStream, terminal: Terminal) {
  const lines = createInterface({ input, crlfDelay: Infinity, signal: session.signal });
  let interrupted = false;
  const stopWatching = onInterrupt(
    () => {
      interrupted = true;
      terminal.note('Stopping what runs … (Ctrl-C again leaves at once)');
      lines.close();
      void session.stop();
    },
    () => process.exit(exitCodes.cancelled),
  );
  try {
    for await (const line of lines) {
      if (line.trim() === '') continue;
      await Promise.race([session.pendingReplies.waitForFewerThan(maxUnanswered), session.failure]);
      if (!interrupted) void session.send(line);
    }
    await Promise.race([session.pendingReplies.waitForFewerThan(1), session.failure]);
    return session.pendingReplies.exitCode() || (interrupted ? exitCodes.cancelled : exitCodes.ok);
  } finally {
    lines.close();
    stopWatching();
  }
}
