import { LRUCache } from 'lru-cache';
import type { SlackPost, SlackPosts, TaskEvents } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import type { Clock } from '../api-calls/clock.ts';
import { callTimeoutMs } from '../api-calls/web-client.ts';
import type { SlackLinks } from '../rendering/slack-message.ts';
import { createBotIdentities } from './bot-identity.ts';
import { followTask, type TaskFollower } from './follow-task.ts';
import { GivesWay, isPlaceClosed, LeaseLost, PosterStopped } from './post-errors.ts';
import type { RotationReason } from './show-progress.ts';
import { showTask } from './show-task.ts';

const leaseMs = 30_000;
const renewMs = 8_000;
/** A call is begun only while the lease lasts longer than the call can. */
const leaseForCallMs = callTimeoutMs + 1_000;

const firstRetryMs = 3_000;
const longestRetryMs = 10 * 60_000;
const dayMs = 24 * 60 * 60_000;
/** A post whose task has not ended is tried for longer: there is no answer yet that could get lost. */
const longestOpenMs = 30 * dayMs;

/** While the database is away. */
const awayPollMs = 2_000;

/** A post with nothing new for so long gives its place to one that waits. */
const quietMs = 30_000;
const awayMs = 15_000;

export type PosterMetrics = {
  /** A stream has ended before its task. */
  rotated(reason: RotationReason): void;
  /** `shown`: the end of the task is shown. `closed`: nothing can be posted there. `given_up`: it failed for a day. */
  ended(outcome: 'shown' | 'closed' | 'given_up'): void;
  /** It failed and is tried again. */
  retried(code: string): void;
};

export type PosterDeps = {
  posts: SlackPosts;
  events: Pick<TaskEvents, 'follow'>;
  slack: SlackCalls;
  clock: Clock;
  log: Logger;
  metrics: PosterMetrics;
  /** Unique among all processes, also after a restart. */
  owner: string;
  linksOf: (post: SlackPost) => SlackLinks;
  /** Posts at a time. */
  mostPosts?: number;
  /** How often the rows are asked for new posts. */
  pollMs?: number;
};

type Run = {
  post: SlackPost;
  follower: TaskFollower;
  abort: AbortController;
  leasedUntil: number;
  done: Promise<void>;
};

export type Poster = {
  start(): void;
  /** Asks for new posts at once. */
  wake(): void;
  /** Ends the calls under way and gives the posts to other processes. */
  stop(): Promise<void>;
};

/** Makes Slack show what the tasks of posts do. One in each process; a post is shown by one process at a time. */
export function createPoster(deps: PosterDeps): Poster {
  const { posts, events, slack: calls, clock, log, metrics, owner, linksOf } = deps;
  const { mostPosts = 200, pollMs = 500 } = deps;
  const identify = createBotIdentities(calls);
  const runs = new Map<string, Run>();
  const failures = new LRUCache<string, number>({ max: 10_000 });
  let isStopped = false;
  let renewedAt = 0;
  let loop: Promise<void> | undefined;
  let wake = () => {};

  async function runLoop() {
    let isAway = false;
    while (!isStopped) {
      try {
        if (clock.now() - renewedAt >= renewMs) await renew();
        await claimPosts();
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn({ err: error }, 'the posts of Slack cannot be read; they are tried again');
        isAway = true;
      }
      if (!isStopped) await waitForWork(isAway ? Math.max(pollMs, awayPollMs) : pollMs);
    }
  }

  async function waitForWork(ms: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const cancel = clock.after(ms, resolve);
    await promise;
    cancel();
  }

  async function renew() {
    const askedAt = clock.now();
    const ids = new Set(await posts.renew(owner, leaseMs));
    renewedAt = askedAt;
    for (const run of runs.values())
      if (ids.has(run.post.id)) run.leasedUntil = askedAt + leaseMs;
      else run.abort.abort(new LeaseLost());
    // Such a post has ended here, but that could not be stored.
    for (const id of ids) if (!runs.has(id)) await posts.retry(owner, id, 0);
  }

  async function claimPosts() {
    while (!isStopped && runs.size < mostPosts) {
      const askedAt = clock.now();
      const post = await posts.claim(owner, leaseMs);
      if (!post) return;
      // This process had it, and its lease ran out.
      const earlier = runs.get(post.id);
      earlier?.abort.abort(new LeaseLost());
      await earlier?.done;
      begin(post, askedAt + leaseMs);
    }
    if (!isStopped && (await posts.depth()) > runs.size) makeRoom();
  }

  function makeRoom() {
    const now = clock.now();
    const quiet = [...runs.values()].filter(({ follower }) => now - follower.changedAt() >= quietMs);
    quiet.sort((a, b) => a.follower.changedAt() - b.follower.changedAt());
    for (const { abort } of quiet.slice(0, Math.ceil(mostPosts / 20))) abort.abort(new GivesWay());
  }

  function begin(post: SlackPost, leasedUntil: number) {
    const abort = new AbortController();
    const { signal } = abort;
    const follower = followTask({ events, clock, post, signal });
    const run: Run = { post, follower, abort, leasedUntil, done: Promise.resolve() };
    runs.set(post.id, run);
    run.done = show(run).finally(() => {
      abort.abort(new PosterStopped());
      runs.delete(post.id);
      wake();
    });
  }

  async function show(run: Run) {
    const { post, follower } = run;
    const { signal } = run.abort;
    const checkLease = () => {
      if (run.leasedUntil - clock.now() < leaseForCallMs) throw new LeaseLost();
    };
    const shared = { posts, calls, clock, log, owner, post, identify, links: linksOf(post) };
    const onRotation = (reason: RotationReason) => metrics.rotated(reason);
    try {
      await showTask({ ...shared, follower, signal, checkLease, onRotation });
      await posts.finish(owner, post.id);
      failures.delete(post.id);
      metrics.ended('shown');
    } catch (error) {
      await putBack(run, error).catch((err: unknown) =>
        log.warn({ err, taskId: post.taskId }, 'a Slack post cannot be put back; another process takes it over'),
      );
    }
  }

  async function putBack({ post, follower, abort }: Run, error: unknown) {
    const { id, taskId, channel, team } = post;
    const reason: unknown = abort.signal.reason ?? error;
    if (reason instanceof LeaseLost) return log.warn({ taskId }, 'another process shows a task in Slack now');
    if (reason instanceof PosterStopped) return posts.retry(owner, id, 0);
    if (reason instanceof GivesWay) return posts.retry(owner, id, awayMs);
    const code = isSlackCallError(error) ? error.code : 'internal';
    if (isPlaceClosed(error)) {
      log.warn({ taskId, team, channel, code }, 'an answer cannot be posted to Slack: the channel takes none');
      metrics.ended('closed');
      return posts.finish(owner, id);
    }
    const { endedAt } = follower.current().view;
    const givesUpAt = endedAt ? Date.parse(endedAt) + dayMs : Number(post.questionTs) * 1_000 + longestOpenMs;
    if (clock.now() >= givesUpAt) {
      log.error({ err: error, taskId, team, channel, code }, 'an answer could not be posted to Slack and is given up');
      metrics.ended('given_up');
      return posts.finish(owner, id);
    }
    const failed = failures.get(id) ?? 0;
    failures.set(id, failed + 1);
    const backoffMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failed, 20));
    const afterMs = Math.round(backoffMs * (0.75 + Math.random() / 2));
    log.warn({ err: error, taskId, code, afterMs }, 'a Slack post failed and is tried again');
    metrics.retried(code);
    return posts.retry(owner, id, afterMs);
  }

  return {
    start: () => {
      loop ??= runLoop();
    },
    wake: () => wake(),
    async stop() {
      isStopped = true;
      wake();
      for (const { abort } of runs.values()) abort.abort(new PosterStopped());
      await loop;
      for (const { abort } of runs.values()) abort.abort(new PosterStopped());
      await Promise.all([...runs.values()].map(({ done }) => done));
    },
  };
}
