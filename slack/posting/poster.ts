import type { SlackPost, TaskEvents } from '../../contract/ports/index.ts';
import { followTask } from './follow-task.ts';
import { GivesWay, LeaseLost, PosterStopped } from './post-errors.ts';
import { createPostRunner, isParked, type PostRun, type PostRunnerDeps } from './run-post.ts';

const leaseMs = 30_000;
const renewMs = 8_000;
/** While the database is away. */
const awayPollMs = 2_000;
/** A post with nothing new for so long gives its place to one that waits. */
const quietMs = 30_000;
/** The same for a task that waits or has not begun: what there is to show of that is shown by then. */
const parkedMs = 5_000;

export type PosterDeps = PostRunnerDeps & {
  events: Pick<TaskEvents, 'follow'>;
  /** Posts at a time. */
  mostPosts?: number;
  /** How often the rows are asked for new posts. */
  pollMs?: number;
};

export type Poster = {
  /** @param team the workspace of the token: posts of others are left alone */
  start(team: string): void;
  /** Asks for new posts at once. */
  wake(): void;
  /** Ends the calls under way and gives the posts to other processes. */
  stop(): Promise<void>;
};

/** Makes Slack show what the tasks of posts do. One in each process; a post is shown by one process at a time. */
export function createPoster(deps: PosterDeps): Poster {
  const { posts, events, clock, log, owner } = deps;
  const { mostPosts = 200, pollMs = 500 } = deps;
  const show = createPostRunner(deps);
  const runs = new Map<string, PostRun & { done: Promise<void> }>();
  let isStopped = false;
  let renewedAt = 0;
  let loop: Promise<void> | undefined;
  let wake = () => {};

  async function runLoop(team: string) {
    let isAway = false;
    while (!isStopped) {
      try {
        if (clock.now() - renewedAt >= renewMs) await renew();
        await claimPosts(team);
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

  async function claimPosts(team: string) {
    while (!isStopped && runs.size < mostPosts) {
      const askedAt = clock.now();
      const post = await posts.claim(owner, leaseMs, team);
      if (!post) return;
      // This process had it, and its lease ran out.
      const earlier = runs.get(post.id);
      earlier?.abort.abort(new LeaseLost());
      await earlier?.done;
      begin(post, askedAt + leaseMs);
    }
    if (!isStopped) makeRoom(await posts.claimable(team));
  }

  /** @param waiting how many posts wait for a place */
  function makeRoom(waiting: number) {
    const quiet = [...runs.values()].filter((run) => !run.abort.signal.aborted && isQuiet(run));
    quiet.sort((a, b) => a.follower.changedAt() - b.follower.changedAt());
    const most = Math.min(waiting, Math.ceil(mostPosts / 20));
    for (const { abort } of quiet.slice(0, most)) abort.abort(new GivesWay());
  }

  function isQuiet({ follower }: PostRun) {
    const sinceMs = clock.now() - follower.changedAt();
    return sinceMs >= quietMs || (sinceMs >= parkedMs && isParked(follower) && follower.isAwaited());
  }

  function begin(post: SlackPost, leasedUntil: number) {
    const abort = new AbortController();
    const { signal } = abort;
    const follower = followTask({ events, clock, post, signal });
    const run = { post, follower, abort, leasedUntil, done: Promise.resolve() };
    runs.set(post.id, run);
    run.done = show(run).finally(() => {
      abort.abort(new PosterStopped());
      runs.delete(post.id);
      wake();
    });
  }

  return {
    start: (team) => {
      loop ??= runLoop(team);
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
