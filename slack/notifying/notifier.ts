import type { SlackNotification, SlackNotifications } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import { callTimeoutMs } from '../api-calls/web-client.ts';
import { createBotIdentities } from '../posting/bot-identity.ts';
import type { CheckChannel } from '../posting/check-channel.ts';
import { LeaseLost, reasonOf } from '../posting/post-errors.ts';
import { createPostMessages } from '../posting/post-messages.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';

const leaseMs = 60_000;
/** A call is begun only while the lease lasts longer than the call can. */
const leaseForCallMs = callTimeoutMs + 1_000;
const firstRetryMs = 3_000;
const longestRetryMs = 10 * 60_000;
/** While the database is away. */
const awayPollMs = 5_000;

type Outcome = 'shown' | 'given_up' | 'retried';

/** `isLast`: it says nothing else later. `subject`: whose rights have made it; absent where it names no content. */
type Rendered = { message: SlackMessage; isLast: boolean; subject?: string };

export type NotifierDeps = {
  notifications: SlackNotifications;
  slack: SlackCalls;
  clock: Clock;
  log: Logger;
  count: (kind: SlackNotification['kind'], outcome: Outcome) => void;
  checkChannel: CheckChannel;
  /** Unique among all processes, also after a restart. */
  owner: string;
  tenant: string;
  kinds: SlackNotification['kind'][];
  /** Where it is posted. Undefined: each notification has its own channel. */
  channel: string | undefined;
  /** Makes rows of what there is to say. */
  collect: (from: { tenant: string; team: string }) => Promise<unknown>;
  /** What a notification says now; undefined when nothing is left to say. */
  render: (notification: SlackNotification) => Promise<Rendered | undefined>;
  /** How often there may be something new. */
  pollMs?: number;
};

export type Notifier = {
  /** @param team the workspace of the token */
  start(team: string): void;
  /** Why the channel takes nothing, and what to do. People of other tenants may read it: it names no channel. */
  problem(): Promise<string | undefined>;
  /** Ends the call under way and leaves the rest to other processes. */
  stop(): Promise<void>;
};

/** Posts to a channel what no person has asked for. One in each process; each message is posted once by all of them. */
export function createNotifier(deps: NotifierDeps): Notifier {
  const { notifications, clock, log, count, owner, tenant, kinds, channel, collect, pollMs = 2_000 } = deps;
  const stopping = new AbortController();
  const show = createShow(deps, stopping.signal);
  let startedFor: string | undefined;
  let loop: Promise<void> | undefined;

  async function runLoop(team: string) {
    let isAway = false;
    while (!stopping.signal.aborted) {
      try {
        await collect({ tenant, team });
        while (!stopping.signal.aborted && (await showNext(team)));
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn({ err: error }, 'the notifications of Slack cannot be read; they are tried again');
        isAway = true;
      }
      await pause(isAway ? Math.max(pollMs, awayPollMs) : pollMs);
    }
  }

  async function pause(ms: number) {
    if (stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ms, resolve);
    const onAbort = () => resolve();
    stopping.signal.addEventListener('abort', onAbort, { once: true });
    await promise;
    stopping.signal.removeEventListener('abort', onAbort);
    cancel();
  }

  /** @returns whether there was one */
  async function showNext(team: string): Promise<boolean> {
    const leasedUntil = clock.now() + leaseMs;
    const notification = await notifications.claim(owner, leaseMs, { tenant, team, channel, kinds });
    if (!notification) return false;
    try {
      const { isLast } = await show(notification, leasedUntil);
      await (isLast ? notifications.finish(owner, notification.id) : notifications.park(owner, notification.id));
      count(notification.kind, 'shown');
    } catch (error) {
      await putBack(notification, error);
    }
    return true;
  }

  async function putBack({ id, kind, channel, attempts }: SlackNotification, error: unknown) {
    const isStopped = stopping.signal.aborted;
    const afterMs = isStopped ? 0 : Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempts - 1, 20));
    const code = reasonOf(error);
    const { lost, left } = await notifications.retry(owner, id, afterMs, code === 'internal' ? undefined : code);
    if (lost > 0)
      log.error(
        { channel, code, kind, lost },
        'Slack took a notification not for a day: it is given up, or a part of it',
      );
    if (left === 0) return count(kind, 'given_up');
    if (isStopped) return;
    if (!(error instanceof LeaseLost))
      log.warn({ err: error, channel, code, afterMs }, 'a notification cannot be posted to Slack and is tried again');
    count(kind, 'retried');
  }

  return {
    start: (team) => {
      startedFor = team;
      loop ??= runLoop(team);
    },
    async problem() {
      if (startedFor === undefined) return undefined;
      const code = await notifications.findProblem({ tenant, team: startedFor, kinds });
      return code && describeProblem(code);
    },
    async stop() {
      stopping.abort(new Error('the process stops'));
      await loop;
    },
  };
}

/** Posts one notification. Safe to repeat, also by another process. */
function createShow(deps: NotifierDeps, signal: AbortSignal) {
  const { notifications, slack: calls, clock, log, owner, render, checkChannel } = deps;
  const identify = createBotIdentities(calls);
  const posts = {
    save: (by: string, id: string, { messages }: Pick<SlackNotification, 'messages'>) =>
      notifications.save(by, id, messages),
    // Never asked where no thread is.
    ownedTs: async () => [],
  };

  return async function show(notification: SlackNotification, leasedUntil: number): Promise<{ isLast: boolean }> {
    const checkLease = () => {
      if (leasedUntil - clock.now() < leaseForCallMs) throw new LeaseLost();
    };
    const post = { ...notification, threadTs: '', questionTs: '', seq: 0 };
    const seq = () => 0;
    const messages = createPostMessages({ posts, calls, clock, log, owner, post, signal, checkLease, identify, seq });
    await messages.recover();
    const rendered = await render(notification);
    if (!rendered) return { isLast: true };
    const { tenant, team, channel } = notification;
    const { subject } = rendered;
    await checkChannel({ tenant, team, channel, ...(subject !== undefined && { subject }) }, signal);
    await messages.showPart(0, rendered.message);
    return rendered;
  };
}

const advice: Record<string, string> = {
  channel_shared: 'it is shared with another organisation or workspace, so name another one',
  channel_not_found: 'check the id, and write /invite @Alfred in the channel if it is private',
  is_archived: 'take the channel out of the archive, or name another one',
  not_in_channel: 'write /invite @Alfred in the channel',
};

const describeProblem = (code: string): string =>
  `Slack takes no message for this channel (${code}): ${advice[code] ?? 'the log says more'}`;
