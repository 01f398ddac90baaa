import { createInterface } from 'node:readline';
import { exitCodes } from '../cli-error.ts';
import type { Context } from '../command-context.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Session } from './session.ts';

/** Messages that may wait for their answers before more lines are read. */
const waitingAtMost = 100;

/** Each line is a message. @returns the exit code once there are no more, and all have been answered */
export async function readLines(session: Session, input: NodeJS.ReadableStream, terminal: Context['terminal']) {
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
      await Promise.race([session.awaited.fewerThan(waitingAtMost), session.broken]);
      if (!interrupted) void session.say(line);
    }
    await Promise.race([session.awaited.fewerThan(1), session.broken]);
    return session.awaited.exitCode() || (interrupted ? exitCodes.cancelled : exitCodes.ok);
  } finally {
    lines.close();
    stopWatching();
  }
}
