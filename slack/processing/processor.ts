import type { SlackInbox } from '../../contract/ports/index.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import { createAttempt, type AttemptDeps, type Claimed } from './attempt.ts';

const leaseMs = 30_000;
const renewMs = 10_000;
/** How often a process asks for what others have stored or put back. Its own it knows at once. */
const pollMs = 1_000;

type Deps = AttemptDeps & { inbox: SlackInbox; metrics: Pick<Metrics, 'slackDeliveries'>; concurrency?: number };

/** Works through the stored deliveries: those of one lane in order, several lanes at once. */
export function createProcessor(deps: Deps) {
  const { inbox, owner, log, metrics, concurrency = 10 } = deps;
  const running = new Map<string, Promise<void>>();
  const timers: NodeJS.Timeout[] = [];
  let isStopping = false;
  let isClaiming = false;
  /** Something was stored while a claim was under way, which may not have seen it. */
  let isAskedAgain = false;
  const attempt = createAttempt(deps, () => isStopping);

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
          begin(delivery);
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

  function begin(delivery: Claimed) {
    const { key, kind } = delivery;
    const work = attempt(delivery).then(
      (outcome) => metrics.slackDeliveries.inc({ outcome }),
      // Its lease ends, and then a process claims it again.
      (err: unknown) => log.warn({ err, kind }, 'the outcome of a delivery of Slack could not be stored'),
    );
    running.set(
      key,
      work.finally(() => {
        running.delete(key);
        wake();
      }),
    );
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
      if (isStopping) return;
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
