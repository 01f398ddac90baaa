import type { ClaimedSlackDelivery, SlackInbox } from '../../contract/ports/index.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import { createAttempt, type AttemptDeps, type WithoutPlace } from './attempt.ts';

const leaseMs = 30_000;
const renewMs = 10_000;
/** How often a process asks for what others have stored or put back. Its own it knows at once. */
const pollMs = 1_000;
/** Of the deliveries that a process works on at once, those of one channel: Slack takes a message a second of each. */
const shareOfChannel = 0.3;
/** Deliveries under way, also those that wait without a place. */
const mostUnderWay = 200;

type Deps = AttemptDeps & { inbox: SlackInbox; metrics: Pick<Metrics, 'slackDeliveries'>; concurrency?: number };

type Run = { earlier: Promise<void> | undefined; withoutPlace: WithoutPlace };
type Running = { channel: string; hasPlace: boolean; work: Promise<void> };

const leavePlace =
  (entry: Running, onLeft: () => void): WithoutPlace =>
  async (waiting) => {
    entry.hasPlace = false;
    onLeft();
    return waiting().finally(() => (entry.hasPlace = true));
  };

/** Works through the stored deliveries: those of one lane in order, several lanes at once. */
export function createProcessor(deps: Deps) {
  const { inbox, owner, log, metrics, concurrency = 10 } = deps;
  const running = new Map<string, Running>();
  const mostOfChannel = Math.max(1, Math.floor(concurrency * shareOfChannel));
  const timers: NodeJS.Timeout[] = [];
  /** The workspaces whose deliveries are processed. Undefined: not known yet, and all wait. */
  let teams: (() => string[]) | undefined;
  let isStopping = false;
  let isClaiming = false;
  /** Something was stored while a claim was under way, which may not have seen it. */
  let isAskedAgain = false;
  const attempt = createAttempt(deps, () => isStopping);

  async function claimDue(teams: () => string[]): Promise<void> {
    if (isClaiming) {
      isAskedAgain = true;
      return;
    }
    isClaiming = true;
    try {
      do {
        isAskedAgain = false;
        while (!isStopping && running.size < mostUnderWay && inPlaces().length < concurrency) {
          const delivery = await inbox.claim(owner, leaseMs, { teams: teams(), without: fullChannels() });
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

  const inPlaces = () => [...running.values()].filter(({ hasPlace }) => hasPlace);

  function fullChannels(): string[] {
    const counts = Map.groupBy(inPlaces(), ({ channel }) => channel);
    return [...counts].filter(([, { length }]) => length >= mostOfChannel).map(([channel]) => channel);
  }

  const wake = () => {
    if (!isStopping && teams && teams().length > 0) void claimDue(teams);
  };

  function begin(delivery: ClaimedSlackDelivery) {
    const { key, lane } = delivery;
    const [, channel = ''] = lane.split(':');
    // This process had it, and its lease ran out.
    const earlier = running.get(key)?.work;
    const entry: Running = { channel, hasPlace: true, work: Promise.resolve() };
    running.set(key, entry);
    entry.work = run(delivery, { earlier, withoutPlace: leavePlace(entry, wake) }).finally(() => {
      if (running.get(key) === entry) running.delete(key);
      wake();
    });
  }

  async function run(delivery: ClaimedSlackDelivery, { earlier, withoutPlace }: Run): Promise<void> {
    await earlier;
    try {
      metrics.slackDeliveries.inc({ outcome: await attempt(delivery, withoutPlace) });
    } catch (err) {
      // Its lease ends, and then a process claims it again.
      log.warn({ err, kind: delivery.kind }, 'the outcome of a delivery of Slack could not be stored');
    }
  }

  const renew = () => {
    if (running.size === 0) return;
    inbox
      .renew(owner, leaseMs, [...running.keys()])
      .catch((error: unknown) => log.warn({ err: error }, 'leases of deliveries could not be renewed'));
  };

  return {
    /** A delivery was stored. */
    wake,

    /** @param ofTeams the workspaces that Alfred is in; they may change */
    start(ofTeams: () => string[]): void {
      if (isStopping) return;
      teams = ofTeams;
      timers.push(setInterval(wake, pollMs), setInterval(renew, renewMs));
      wake();
    },

    /** Takes nothing more from now on, finishes what it has begun, and gives back what it cannot finish in time. */
    async stop(graceMs: number): Promise<void> {
      isStopping = true;
      await withTimeout(Promise.all([...running.values()].map(({ work }) => work)), graceMs, () => undefined);
      for (const timer of timers) clearInterval(timer);
      for (const key of running.keys()) await inbox.retry(owner, key, 0).catch(() => undefined);
    },
  };
}
