import { AlfredError } from '../../contract/errors.ts';

/** A call waits no longer than this for its turn, in milliseconds. */
const longestWaitMs = 60_000;
const retryAfterMs = 5_000;

export type Turns = {
  /**
   * Waits until a call may run.
   *
   * @param isAlone no other call of this process runs beside it
   * @param signal ends the wait, and the turn: what still runs after its abort is not waited for
   * @param mostMs how long it may wait: the time of its activity runs meanwhile
   * @returns ends the turn
   * @throws AlfredError `tool_failed`, which is tried again, when other calls take too long
   */
  take(isAlone: boolean, signal: AbortSignal, mostMs?: number): Promise<() => void>;
};

type Waiting = { isAlone: boolean; begin: () => void };

/** The turns of the calls in one process, first come, first served. */
export function createTurns({ waitMs = longestWaitMs } = {}): Turns {
  const waiting: Waiting[] = [];
  let running = 0;
  let isTakenAlone = false;

  const admit = () => {
    for (let next = waiting[0]; next && !isTakenAlone && !(next.isAlone && running > 0); next = waiting[0]) {
      waiting.shift();
      running++;
      isTakenAlone = next.isAlone;
      next.begin();
    }
  };
  /** @returns works once */
  const endOf = () => {
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      running--;
      isTakenAlone = false;
      admit();
    };
  };

  return {
    take: (isAlone, signal, mostMs = waitMs) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const giveUp = (reason: Error) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          waiting.splice(waiting.indexOf(turn), 1);
          admit();
          reject(reason);
        };
        const onAbort = () => giveUp(reasonOf(signal));
        const turn: Waiting = {
          isAlone,
          begin: () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', onAbort);
            const end = endOf();
            if (signal.aborted) {
              end();
              return reject(reasonOf(signal));
            }
            signal.addEventListener('abort', end, { once: true });
            resolve(end);
          },
        };
        const timer = setTimeout(() => giveUp(tooBusy()), Math.min(waitMs, mostMs));
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(turn);
        admit();
      }),
  };
}

const reasonOf = ({ reason }: AbortSignal) => (reason instanceof Error ? reason : new AlfredError('superseded'));

const tooBusy = () =>
  new AlfredError('tool_failed', 'The call waits until calls that may end the worker have run alone.', {
    failures: 0,
    retryAfterMs,
  });
