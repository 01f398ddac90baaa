import { linkAbort } from '../../runtime/link-abort.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SlackPost } from '../../contract/ports/index.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import { maxMarkdown } from '../rendering/limits.ts';
import { nextPiece } from '../rendering/next-piece.ts';
import { renderProgress } from '../rendering/render.ts';
import type { SlackLinks } from '../rendering/slack-message.ts';
import { stepChunks } from '../rendering/step-chunks.ts';
import { emptyView, type TaskView } from '../rendering/task-view.ts';
import type { TaskFollower } from './follow-task.ts';
import { isMendable, isPlaceClosed, isRefused, isStreamOver, isUnchangeable } from './post-errors.ts';
import type { PostMessages } from './post-messages.ts';

/** Slack ends a stream about five minutes after its start. */
const streamLifeMs = 4 * 60_000;
/** Text is appended after this time, or earlier when there is this much of it. */
const appendMs = 600;
const appendCharacters = 300;
/** One append of a stream. */
const mostAppended = 8_000;
/** `chat.update` may be called half as often as `chat.appendStream`, for all messages of a workspace together. */
const updateMs = 3_000;
/** Without a change it is time for a status again. */
const idleMs = 30_000;
/** A stream that must wait longer than this for its start is not begun: the message is changed by `chat.update`. */
const longestStartMs = 3_000;

export type RotationReason = 'age' | 'length' | 'void' | 'ended_by_slack' | 'refused';

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
  const { follower, messages, calls, clock, log, post, signal, links, onRotation } = deps;
  /** What the stream shows. */
  let shown: { text: string; view: TaskView } = { text: '', view: emptyView };
  let streamedSince = 0;
  let sentAt = 0;
  let shownSeq = -1;
  let shownMessage = '';
  let mayStream = true;
  /** A person deleted the message. They get the end as a new one, and no progress. */
  let isDeleted = false;

  const isWorthShowing = ({ view, text }: ReturnType<TaskFollower['current']>) =>
    text !== '' || view.steps.length > 0 || view.status === 'waiting';

  /** What comes next in the stream; undefined when the text that it shows is void. */
  function nextChunks() {
    const { text, view } = follower.current();
    const piece = nextPiece(text, shown.text, mostAppended);
    if (!piece) return undefined;
    const steps = stepChunks(shown.view, view);
    const chunks = piece.append === '' ? steps : [...steps, { type: 'markdown_text', text: piece.append }];
    return { chunks, append: piece.append, view };
  }

  /** @returns whether something was sent */
  async function send(method: 'start' | 'append', stop: AbortSignal): Promise<boolean> {
    let sent: ReturnType<typeof nextChunks>;
    const next = () => {
      sent = nextChunks();
      return sent && sent.chunks.length > 0 ? sent.chunks : undefined;
    };
    const answer =
      method === 'start'
        ? await messages.startStream({ signal: stop, arguments: () => startArguments(next()) })
        : await messages.call('chat.appendStream', { signal: stop, arguments: () => appendArguments(next()) });
    if (!answer || !sent) return false;
    shown = { text: shown.text + sent.append, view: sent.view };
    sentAt = clock.now();
    return true;
  }

  const startArguments = (chunks: unknown[] | undefined) =>
    chunks && {
      thread_ts: post.threadTs,
      recipient_team_id: post.team,
      recipient_user_id: post.userId,
      chunks,
    };
  const appendArguments = (chunks: unknown[] | undefined) => chunks && { ts: messages.first()?.ts, chunks };

  async function start(stop: AbortSignal) {
    const wait = calls.expectedWaitMs({ team: post.team, method: 'chat.startStream', channel: post.channel });
    const { text } = follower.current();
    shown = { text: '', view: emptyView };
    const hasChunks = (nextChunks()?.chunks.length ?? 0) > 0;
    if (!mayStream || !hasChunks || wait > longestStartMs || text.length > maxMarkdown) {
      await messages.postFirst(renderNow, stop);
      sentAt = clock.now();
      return;
    }
    try {
      if (await send('start', stop)) streamedSince = clock.now();
    } catch (error) {
      if (!isRefused(error) || isPlaceClosed(error) || isMendable(error)) throw error;
      log.warn({ err: error, taskId: post.taskId }, 'Slack begins no stream here');
      mayStream = false;
    }
  }

  async function append(stop: AbortSignal) {
    try {
      await send('append', stop);
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

  /** Called right before the call that shows it. */
  function renderNow() {
    const { view, text } = follower.current();
    const message = renderProgress({ ...view, text }, links);
    shownMessage = JSON.stringify(message);
    shownSeq = view.seq;
    return message;
  }

  async function update(stop: AbortSignal) {
    const { view, text } = follower.current();
    if (JSON.stringify(renderProgress({ ...view, text }, links)) === shownMessage) {
      shownSeq = view.seq;
      return;
    }
    isDeleted = !(await messages.update(0, renderNow, { signal: stop }));
    sentAt = clock.now();
  }

  /** Makes at most one step. @returns milliseconds until the next may be due */
  async function step(stop: AbortSignal): Promise<number> {
    const current = follower.current();
    const sinceSent = clock.now() - sentAt;
    if (messages.isStreaming()) {
      const lifeMs = streamedSince + streamLifeMs - clock.now();
      const next = nextChunks();
      const reason = lifeMs <= 0 ? 'age' : !next ? 'void' : current.text.length > maxMarkdown ? 'length' : undefined;
      if (reason || !next) return rotate(reason ?? 'void').then(() => 0);
      if (next.chunks.length === 0) return Math.min(lifeMs, idleMs);
      if (next.append.length < appendCharacters && sinceSent < appendMs) return Math.min(lifeMs, appendMs - sinceSent);
      return append(stop).then(() => 0);
    }
    if (messages.first()) {
      if (shownSeq === current.view.seq) return idleMs;
      if (sinceSent < updateMs) return updateMs - sinceSent;
      return update(stop).then(() => 0);
    }
    if (isDeleted || !isWorthShowing(current)) return idleMs;
    return start(stop).then(() => 0);
  }

  return {
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
