import type { SlackDelivery, SlackInbox } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';

const leaseMs = 30_000;
const renewMs = 10_000;
/** How often a process looks for what others have stored or put back. Its own it knows at once. */
const pollMs = 1_000;
const pauses = { firstMs: 1_000, longestMs: 30_000 };

type Claimed = SlackDelivery & { attempts: number };

type Deps = {
  inbox: SlackInbox;
  /** This process, by a name that no other has. */
  owner: string;
  /** Safe to repeat: a process that ends before it completes a delivery leaves it to another. */
  handle: (delivery: Claimed) => Promise<void>;
  /** Whether the same may succeed later, as when Temporal or Postgres is away. */
  mayPass: (error: unknown) => boolean;
  /** Called when a delivery is put back. */
  onPutBack: (delivery: Claimed) => void;
  /** Reports an error that will not pass to the person. */
  reportFailure: (delivery: Claimed, error: unknown) => Promise<void>;
  log: Pick<Logger, 'warn' | 'error'>;
  metrics: Pick<Metrics, 'slackDeliveries'>;
  concurrency?: number;
};

export type Processor = ReturnType<typeof createProcessor>;

/** Works through the stored deliveries: those of one lane in order, several lanes at once. */
export function createProcessor(deps: Deps) {
  const { inbox, owner, handle, mayPass, onPutBack, reportFailure, log, metrics, concurrency = 10 } = deps;
  const running = new Map<string, Promise<void>>();
  const timers: NodeJS.Timeout[] = [];
  let isStopping = false;
  let isClaiming = false;
  /** Something was stored while a claim was under way, which may not have seen it. */
  let isAskedAgain = false;

  async function claimDue(): Promise<void> {
    if (isClaiming) {
      isAskedAgain = true;
      return;
    }
    isClaiming = true;
    try {
      do {
        isAskedAgain = false;
        while (!isStopping && running.size < concurrency) {
          const delivery = await inbox.claim(owner, leaseMs);
          if (!delivery) break;
          const work = process(delivery).finally(() => {
            running.delete(delivery.key);
            wake();
          });
          running.set(delivery.key, work);
        }
      } while (isAskedAgain && !isStopping);
    } catch (error) {
      log.warn({ err: error }, 'stored deliveries of Slack could not be read; they are read when the database is back');
    } finally {
      isClaiming = false;
    }
  }

  const wake = () => {
    if (!isStopping) void claimDue();
  };

  async function process(delivery: Claimed): Promise<void> {
    try {
      const outcome = await attempt(delivery);
      metrics.slackDeliveries.inc({ outcome });
    } catch (error) {
      // Its lease ends, and then a process claims it again.
      log.warn({ err: error, kind: delivery.kind }, 'the outcome of a delivery of Slack could not be stored');
    }
  }

  async function attempt(delivery: Claimed): Promise<'completed' | 'put_back' | 'failed'> {
    const { key, attempts } = delivery;
    try {
      await handle(delivery);
    } catch (error) {
      if (isStopping || mayPass(error)) return putBack(delivery, error);
      log.error({ err: error, kind: delivery.kind, attempts }, 'a delivery of Slack failed');
      try {
        await reportFailure(delivery, error);
      } catch (failure) {
        if (mayPass(failure)) return putBack(delivery, failure);
        log.error({ err: failure, kind: delivery.kind }, 'the failure could not be reported in Slack');
      }
      await inbox.complete(owner, key);
      return 'failed';
    }
    await inbox.complete(owner, key);
    return 'completed';
  }

  async function putBack(delivery: Claimed, error: unknown): Promise<'put_back'> {
    const { key, kind, attempts } = delivery;
    const afterMs = isStopping ? 0 : Math.min(pauses.firstMs * 2 ** (attempts - 1), pauses.longestMs);
    log.warn({ err: error, kind, attempts, afterMs }, 'a delivery of Slack waits, because something is away');
    await inbox.retry(owner, key, afterMs);
    onPutBack(delivery);
    return 'put_back';
  }

  const renew = () => {
    if (running.size === 0) return;
    inbox
      .renew(owner, leaseMs)
      .catch((error: unknown) => log.warn({ err: error }, 'leases of deliveries could not be renewed'));
  };

  return {
    /** A delivery was stored. */
    wake,

    start(): void {
      timers.push(setInterval(wake, pollMs), setInterval(renew, renewMs));
      wake();
    },

    /** Takes nothing more, finishes what it has begun, and gives back what it cannot finish in time. */
    async stop(graceMs: number): Promise<void> {
      isStopping = true;
      await withTimeout(Promise.all(running.values()), graceMs, () => undefined);
      for (const timer of timers) clearInterval(timer);
      for (const key of running.keys()) await inbox.retry(owner, key, 0).catch(() => undefined);
    },
  };
}
