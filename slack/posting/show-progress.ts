import { linkAbort } from '../../runtime/link-abort.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackPost } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import { maxMarkdown } from '../rendering/limits.ts';
import type { SlackLinks } from '../rendering/slack-message.ts';
import { needsPerson } from '../rendering/task-buttons.ts';
import type { TaskFollower } from './follow-task.ts';
import { isMendable, isPlaceClosed, isRefused, isStreamOver, isUnchangeable } from './post-errors.ts';
import type { PostMessages } from './post-messages.ts';
import { createTaskStream } from './task-stream.ts';
import { createTaskUpdates } from './task-updates.ts';

/** Slack ends a stream about five minutes after its start. */
const streamLifeMs = 4 * 60_000;
/** Text is appended after this time, or earlier when there is this much of it. */
const appendMs = 600;
const appendCharacters = 300;
/** `chat.update` may be called half as often as `chat.appendStream`, for all messages of a workspace together. */
const updateMs = 3_000;
/** Without a change it is time for a status again. */
const idleMs = 30_000;
/** A stream that must wait longer than this for its start is not begun: the message is changed by `chat.update`. */
const longestStartMs = 3_000;

export type RotationReason = 'age' | 'length' | 'void' | 'ended_by_slack' | 'refused' | 'waiting';

type Deps = {
  follower: TaskFollower;
  messages: PostMessages;
  calls: SlackCalls;
  clock: Clock;
  log: Logger;
  post: SlackPost;
  signal: AbortSignal;
  links: SlackLinks;
  onRotation: (reason: RotationReason) => void;
};

/** Shows the progress of a task in its first message: by a stream while that lives, then by changing the message. */
export function createProgress(deps: Deps) {
  const { follower, messages, calls, clock, log, post, signal, onRotation } = deps;
  const stream = createTaskStream(deps);
  const updates = createTaskUpdates(deps);
  let streamedSince = 0;
  let sentAt = 0;
  let mayStream = true;
  /** A person deleted the message. They get as a new one what needs a person, and the end, but no progress. */
  let isDeleted = false;

  function isStreamPossible() {
    stream.reset();
    const hasChunks = (stream.next()?.chunks.length ?? 0) > 0;
    const { team, channel } = post;
    const isSoon = calls.expectedWaitMs({ team, method: 'chat.startStream', channel }) <= longestStartMs;
    const { view, text } = follower.current();
    return mayStream && hasChunks && isSoon && text.length <= maxMarkdown && !needsPerson(view);
  }

  async function start(stop: AbortSignal) {
    try {
      if (!isStreamPossible()) await updates.post(stop);
      else if (await stream.start(stop)) streamedSince = clock.now();
      sentAt = clock.now();
    } catch (error) {
      if (!mayStream || !isRefused(error) || isPlaceClosed(error) || isMendable(error)) throw error;
      log.warn({ err: error, taskId: post.taskId }, 'Slack begins no stream here');
      mayStream = false;
    }
  }

  async function append(stop: AbortSignal) {
    try {
      await stream.append(stop);
      sentAt = clock.now();
    } catch (error) {
      if (isStreamOver(error)) {
        onRotation('ended_by_slack');
        await messages.markStreamEnded();
      } else if (isUnchangeable(error)) {
        isDeleted = true;
        await messages.forgetFirst();
      } else if (isRefused(error) && !isPlaceClosed(error) && !isMendable(error)) {
        log.warn({ err: error, taskId: post.taskId }, 'Slack refuses a piece of a stream');
        await rotate('refused');
      } else throw error;
    }
  }

  async function rotate(reason: RotationReason) {
    onRotation(reason);
    await messages.endStream();
  }

  /** Makes at most one step. @returns milliseconds until the next may be due */
  async function step(stop: AbortSignal): Promise<number> {
    const current = follower.current();
    const sinceSent = clock.now() - sentAt;
    if (messages.isStreaming()) {
      const lifeMs = streamedSince + streamLifeMs - clock.now();
      const next = stream.next();
      const reason = needsPerson(current.view) ? 'waiting' : rotationReasonOf(lifeMs, next, current.text);
      if (reason || !next) return rotate(reason ?? 'void').then(() => 0);
      if (next.chunks.length === 0) return Math.min(lifeMs, idleMs);
      if (next.append.length < appendCharacters && sinceSent < appendMs) return Math.min(lifeMs, appendMs - sinceSent);
      return append(stop).then(() => 0);
    }
    if (messages.first()) {
      if (updates.isCurrent() || updates.isBehind()) return idleMs;
      if (sinceSent < updateMs) return updateMs - sinceSent;
      isDeleted = !(await updates.update(stop));
      sentAt = clock.now();
      return 0;
    }
    if (isDeleted ? !needsPerson(current.view) : !isWorthShowing(current)) return idleMs;
    return start(stop).then(() => 0);
  }

  return {
    remember: () => updates.remember(),

    /**
     * Shows what has come, if it is time.
     *
     * @returns milliseconds until there may be more to show
     */
    async advance(): Promise<number> {
      // A call that waits while the task ends is not needed any more.
      const { signal: stop, release } = linkAbort([signal, follower.ended]);
      try {
        return await step(stop);
      } catch (error) {
        if (follower.ended.aborted && error === follower.ended.reason) return 0;
        throw error;
      } finally {
        release();
      }
    },
  };
}

const isWorthShowing = ({ view, text }: ReturnType<TaskFollower['current']>) =>
  text !== '' || view.steps.length > 0 || view.status === 'waiting' || needsPerson(view);

/** Why a stream cannot go on. @param lifeMs how long Slack keeps it open, in milliseconds */
const rotationReasonOf = (lifeMs: number, next: object | undefined, text: string): RotationReason | undefined =>
  lifeMs <= 0 ? 'age' : !next ? 'void' : text.length > maxMarkdown ? 'length' : undefined;
