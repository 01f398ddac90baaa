import { cancellationSignal, heartbeat } from '@temporalio/activity';

/**
 * Runs work that may be silent for long: heartbeats every second, so that a dead worker is noticed and a cancellation
 * arrives, and aborts the work when it does.
 */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timer = setInterval(heartbeat, 1_000);
  try {
    return await work(cancellationSignal());
  } finally {
    clearInterval(timer);
  }
}
