import type { ClaimedSlackDelivery, SlackInbox } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';

const pauses = { firstMs: 1_000, longestMs: 30_000 };
/** A delivery that still fails then is given up: the person has asked again, or somewhere else. */
const longestWaitMs = 24 * 60 * 60_000;

/**
 * Runs work that waits for others, like the reading of files, and lets the process work on another delivery meanwhile.
 * The delivery keeps its lane.
 */
export type WithoutPlace = <T>(work: () => Promise<T>) => Promise<T>;

/** Another process has the delivery, and goes on with it. */
export class DeliveryLost extends Error {
  constructor() {
    super('another process has the delivery');
  }
}

export type AttemptDeps = {
  inbox: Pick<SlackInbox, 'complete' | 'retry'>;
  /** This process, by a name that no other has. */
  owner: string;
  /** Safe to repeat: a process that ends before it completes a delivery leaves it to another. */
  handle: (delivery: ClaimedSlackDelivery, withoutPlace: WithoutPlace) => Promise<void>;
  /** Whether the same may succeed later, as when Temporal or Postgres is away. */
  mayPass: (error: unknown) => boolean;
  /** Called when a delivery is put back. */
  onPutBack: (delivery: ClaimedSlackDelivery) => void;
  /** Reports an error that will not pass, or was waited for long enough, to the person. */
  reportFailure: (delivery: ClaimedSlackDelivery, error: unknown) => Promise<void>;
  log: Pick<Logger, 'warn' | 'error'>;
};

/**
 * Handles one delivery. What fails because something is away is put back, for a day; what fails longer or otherwise is
 * reported to the person.
 *
 * @param isStopping whether the process stops: then another one goes on at once
 * @throws when the outcome cannot be stored
 */
export function createAttempt(deps: AttemptDeps, isStopping: () => boolean) {
  const { inbox, owner, handle, mayPass, onPutBack, reportFailure, log } = deps;

  const isPutBack = ({ receivedAt }: ClaimedSlackDelivery, error: unknown) =>
    isStopping() || (mayPass(error) && Date.now() - receivedAt.getTime() < longestWaitMs);

  async function putBack(delivery: ClaimedSlackDelivery, error: unknown): Promise<'put_back'> {
    const { key, kind, attempts } = delivery;
    const afterMs = isStopping() ? 0 : Math.min(pauses.firstMs * 2 ** (attempts - 1), pauses.longestMs);
    log.warn({ err: error, kind, attempts, afterMs }, 'a delivery of Slack waits, because something is away');
    await inbox.retry(owner, key, afterMs);
    onPutBack(delivery);
    return 'put_back';
  }

  return async (
    delivery: ClaimedSlackDelivery,
    withoutPlace: WithoutPlace,
  ): Promise<'completed' | 'put_back' | 'failed'> => {
    const { key, kind, attempts } = delivery;
    try {
      await handle(delivery, withoutPlace);
    } catch (error) {
      if (error instanceof DeliveryLost) {
        log.warn({ kind, attempts }, 'another process has taken a delivery of Slack over');
        return 'put_back';
      }
      if (isPutBack(delivery, error)) return putBack(delivery, error);
      log.error({ err: error, kind, attempts }, 'a delivery of Slack failed');
      try {
        await reportFailure(delivery, error);
      } catch (failure) {
        if (isPutBack(delivery, failure)) return putBack(delivery, failure);
        log.error({ err: failure, kind }, 'the failure could not be reported in Slack');
      }
      await inbox.complete(owner, key);
      return 'failed';
    }
    await inbox.complete(owner, key);
    return 'completed';
  };
}
