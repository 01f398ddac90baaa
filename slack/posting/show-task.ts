import type { MessageState } from '../../contract/conversation.ts';
import type { SlackPost } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isEnded } from '../../contract/task-status.ts';
import { renderFinal } from '../rendering/render.ts';
import type { SlackLinks, SlackMessage } from '../rendering/slack-message.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import type { CheckChannel } from './check-channel.ts';
import type { TaskFollower } from './follow-task.ts';
import { GivesWay, PosterStopped } from './post-errors.ts';
import { createPostMessages, type PostMessagesDeps } from './post-messages.ts';
import { createProgress, type RotationReason } from './show-progress.ts';
import { createThreadStatus } from './thread-status.ts';

type Deps = Omit<PostMessagesDeps, 'seq'> & {
  calls: SlackCalls;
  clock: Clock;
  log: Logger;
  post: SlackPost;
  follower: TaskFollower;
  links: SlackLinks;
  onRotation: (reason: RotationReason) => void;
  stateOf: StateOf;
  checkChannel: CheckChannel;
};

const longestWaitMs = 60_000;

/** The state of the message that the post's task is for; undefined when it is gone, or another task answers it. */
export type StateOf = (post: SlackPost) => Promise<MessageState | undefined>;

/** Slack shows the task's messages, until they show its end. Safe to repeat, also by another process. */
export async function showTask({ follower, links, onRotation, stateOf, checkChannel, ...deps }: Deps): Promise<void> {
  const { post, log, signal } = deps;
  const messages = createPostMessages({ ...deps, seq: () => follower.current().view.seq });
  const status = createThreadStatus(deps);
  const progress = createProgress({ ...deps, follower, messages, links, onRotation });

  await messages.recover();
  try {
    while (!follower.hasEnded()) {
      const { view } = follower.current();
      // What stands in a channel by itself is shown when it is complete.
      const waitMs = post.threadTs === '' ? longestWaitMs : await progress.advance();
      // A stream shows by itself that something is happening.
      if (!messages.isStreaming()) status.show(follower.current().view.statusText);
      await follower.changed(view.seq, waitMs);
    }
  } catch (error) {
    if (error instanceof GivesWay || error instanceof PosterStopped) await progress.remember();
    throw error;
  }

  // A status goes away at once, also when the message has to wait.
  const statusCleared = status.clear();
  await messages.endStream();
  const { view } = follower.current();
  const parts = isEnded(view.status) ? renderFinal(view, links) : await messagesWithoutEnd(post, stateOf);
  if (!isEnded(view.status)) log.info({ taskId: post.taskId }, 'the task of a Slack post has no end to show');
  // No one has asked there, and all members read it.
  if (post.threadTs === '' && parts.length > 0) await checkChannel(post, signal);
  for (const [index, part] of parts.entries()) await messages.showPart(index, part);
  await statusCleared;
}

/** Why a task has no events: what became of its message. */
const lines: Partial<Record<MessageState, string>> = {
  passed_over: 'I did not answer this question: a later message came before its turn.',
  rolled_back: 'I did not answer this question: a later message took it out of the conversation.',
  dropped: 'I did not answer this question: it was stopped before its turn.',
};
const erasedLine = 'This question and its answer were deleted in Alfred.';

async function messagesWithoutEnd(post: SlackPost, stateOf: StateOf): Promise<SlackMessage[]> {
  if (post.threadTs === '') return [];
  const state = await stateOf(post);
  // It was answered by the task that was running.
  if (state === 'steered') return [];
  const text = (state && lines[state]) ?? erasedLine;
  return [{ text, blocks: [{ type: 'section', text: { type: 'plain_text', text } }] }];
}
