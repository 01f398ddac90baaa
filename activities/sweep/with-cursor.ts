import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';

/**
 * Runs work over many rows whose position a retry continues from: the position is in the heartbeat, so it survives the
 * worker.
 *
 * @param start the position of the first attempt
 * @param work saves its position after each page
 */
export async function withCursor<Position, T>(
  start: Position,
  work: (position: Position, save: (position: Position) => void, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let position = (activityInfo().heartbeatDetails as Position | undefined) ?? start;
  const timer = setInterval(() => heartbeat(position), 1_000);
  try {
    return await work(
      position,
      (next) => {
        position = next;
        heartbeat(position);
      },
      cancellationSignal(),
    );
  } finally {
    clearInterval(timer);
  }
}
