import { LRUCache } from 'lru-cache';
import type { Artifacts, SlackPost, SlackPosts } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createFairSemaphore } from '../../runtime/semaphore.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import { callTimeoutMs } from '../api-calls/web-client.ts';
import type { SlackLinks } from '../rendering/slack-message.ts';
import { createBotIdentities } from './bot-identity.ts';
import type { CheckChannel } from './check-channel.ts';
import { createClosedChannels } from './closed-channels.ts';
import type { TaskFollower } from './follow-task.ts';
import { GivesWay, isPlaceClosed, LeaseLost, PosterStopped, reasonOf } from './post-errors.ts';
import type { RotationReason } from './show-progress.ts';
import { showTask, type StateOf } from './show-task.ts';
import type { UploadBytes } from './upload-bytes.ts';

/** A call is begun only while the lease lasts longer than the call can. */
const leaseForCallMs = callTimeoutMs + 1_000;

const firstRetryMs = 3_000;
const longestRetryMs = 10 * 60_000;
const dayMs = 24 * 60 * 60_000;
/** A post whose task has not ended is tried for longer: there is no answer yet that could get lost. */
const longestOpenMs = 30 * dayMs;

/** After this time a post that gave its place to another one asks for a place again. */
const firstAwayMs = 15_000;
/** For a task that waits or has not begun the time doubles with each claim, up to this one. */
const longestAwayMs = 60_000;

/** Files are in memory while they are uploaded. Workspaces take turns. */
const uploadsAtOnce = 3;

export type PosterMetrics = {
  /** A stream has ended before its task. */
  rotated(reason: RotationReason): void;
  /** `shown`: the end of the task is shown. `closed`: nothing can be posted there. `given_up`: it failed for a day. */
  ended(outcome: 'shown' | 'closed' | 'given_up'): void;
  /** It failed and is tried again. */
  retried(code: string): void;
  /** What became of a file of a task. */
  file: (outcome: 'shared' | 'linked') => void;
};

export type PostRunnerDeps = {
  posts: SlackPosts;
  artifacts: Artifacts;
  uploadBytes: UploadBytes;
  slack: SlackCalls;
  clock: Clock;
  log: Logger;
  metrics: PosterMetrics;
  /** Unique among all processes, also after a restart. */
  owner: string;
  /** Whose answers a workspace may show; undefined while it is not let in, and then no call of its is made. */
  tenantOf: (team: string) => Promise<string | undefined>;
  linksOf: (post: SlackPost) => SlackLinks | Promise<SlackLinks>;
  stateOf: StateOf;
  /** Whether what the task has changed is being undone: the message then shows what came of that. */
  isUndoing: (post: SlackPost) => Promise<boolean>;
  checkChannel: CheckChannel;
};

export type PostRun = {
  post: SlackPost;
  follower: TaskFollower;
  /** Its reason says what becomes of the post. */
  abort: AbortController;
  leasedUntil: number;
};

/** Whether the task waits, or has not begun: that lasts. */
export const isParked = (follower: TaskFollower): boolean =>
  ['queued', 'waiting'].includes(follower.current().view.status);

const hasEffects = (follower: TaskFollower): boolean => (follower.current().view.effects ?? []).length > 0;

const awayMsOf = ({ post, follower }: PostRun): number =>
  isParked(follower) ? Math.min(longestAwayMs, firstAwayMs * 2 ** Math.min(post.attempts - 1, 10)) : firstAwayMs;

/** Shows one post until its end, and stores what became of it. Does not throw. */
export function createPostRunner({
  posts,
  artifacts,
  uploadBytes,
  slack: calls,
  clock,
  log,
  metrics,
  owner,
  tenantOf,
  linksOf,
  stateOf,
  isUndoing,
  checkChannel,
}: PostRunnerDeps) {
  const identify = createBotIdentities(calls);
  const closed = createClosedChannels(clock);
  const withUpload = createFairSemaphore(uploadsAtOnce);
  const failures = new LRUCache<string, number>({ max: 10_000 });

  /** @returns milliseconds until the next attempt. Not even, so that posts that failed together do not meet again. */
  function countFailure(id: string): number {
    const failed = failures.get(id) ?? 0;
    failures.set(id, failed + 1);
    const backoffMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failed, 20));
    return Math.round(backoffMs * (0.75 + Math.random() / 2));
  }

  function isTooLate({ post, follower }: PostRun): boolean {
    const { endedAt } = follower.current().view;
    const askedAt = Number(post.questionTs) * 1_000;
    // What stands in a channel by itself has ended before. Its events may not be read yet.
    if (post.threadTs === '') return clock.now() >= askedAt + dayMs;
    return clock.now() >= (endedAt ? Date.parse(endedAt) + dayMs : askedAt + longestOpenMs);
  }

  async function putBack(run: PostRun, error: unknown) {
    const { post } = run;
    const { id, taskId, channel, team } = post;
    const reason: unknown = run.abort.signal.reason ?? error;
    if (reason instanceof LeaseLost) return log.warn({ taskId }, 'another process shows a task in Slack now');
    if (reason instanceof PosterStopped) return posts.retry(owner, id, 0);
    if (reason instanceof GivesWay) return posts.retry(owner, id, awayMsOf(run));
    const code = reasonOf(error);
    closed.note(post, error);
    // Of a channel that a schedule names an operator may put that right.
    if (isPlaceClosed(error) && post.threadTs !== '') {
      log.warn({ taskId, team, channel, code }, 'an answer cannot be posted to Slack: the channel takes none');
      metrics.ended('closed');
      return posts.finish(owner, id);
    }
    if (isTooLate(run)) {
      log.error({ err: error, taskId, team, channel, code }, 'an answer could not be posted to Slack and is given up');
      metrics.ended('given_up');
      return posts.finish(owner, id);
    }
    const afterMs = countFailure(id);
    log.warn({ err: error, taskId, code, afterMs }, 'a Slack post failed and is tried again');
    metrics.retried(code);
    return posts.retry(owner, id, afterMs);
  }

  /** Whether the workspace has another tenant by now, whose people may not read this answer. */
  async function isOfOtherTenant({ team, tenant }: SlackPost): Promise<boolean> {
    const current = await tenantOf(team);
    return current !== undefined && current !== tenant;
  }

  async function leaveOut({ id, taskId, team }: SlackPost) {
    log.warn({ taskId, team }, 'an answer is not posted to Slack: its workspace has another tenant now');
    metrics.ended('closed');
    await posts.finish(owner, id);
  }

  return async function runPost(run: PostRun): Promise<void> {
    const { post, follower, abort } = run;
    const checkLease = () => {
      if (run.leasedUntil - clock.now() < leaseForCallMs) throw new LeaseLost();
      closed.check(post);
    };
    const ports = { posts, artifacts, calls, clock, log, uploadBytes, withUpload };
    const shared = { ...ports, owner, post, identify, stateOf, checkChannel, onFile: metrics.file };
    const onRotation = (reason: RotationReason) => metrics.rotated(reason);
    try {
      if (await isOfOtherTenant(post)) return await leaveOut(post);
      closed.check(post);
      await showTask({ ...shared, links: await linksOf(post), follower, signal: abort.signal, checkLease, onRotation });
      const isWaitingForUndo = hasEffects(follower) && (await isUndoing(post));
      if (isWaitingForUndo) return await posts.retry(owner, post.id, countFailure(post.id));
      await posts.finish(owner, post.id);
      failures.delete(post.id);
      metrics.ended('shown');
    } catch (error) {
      await putBack(run, error).catch((err: unknown) =>
        log.warn({ err, taskId: post.taskId }, 'a Slack post cannot be put back; another process takes it over'),
      );
    }
  };
}
