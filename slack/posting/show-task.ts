import type { MessageState } from '../../contract/conversation.ts';
import type { SlackPost } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isEnded } from '../../contract/task-status.ts';
import { answerAlone } from '../rendering/run-result.ts';
import { renderFinal } from '../rendering/render.ts';
import type { SlackLinks, SlackMessage } from '../rendering/slack-message.ts';
import type { TaskView } from '../rendering/task-view.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import type { CheckChannel } from './check-channel.ts';
import type { TaskFollower } from './follow-task.ts';
import { GivesWay, PosterStopped } from './post-errors.ts';
import { createPostFiles, type PostFilesDeps } from './post-files.ts';
import { createPostMessages, type PostMessages, type PostMessagesDeps } from './post-messages.ts';
import { createProgress, type RotationReason } from './show-progress.ts';
import { createThreadStatus } from './thread-status.ts';

type Deps = Omit<PostMessagesDeps, 'seq' | 'posts' | 'post'> &
  Omit<PostFilesDeps, 'posts'> & {
    posts: PostMessagesDeps['posts'] & PostFilesDeps['posts'];
    calls: SlackCalls;
    clock: Clock;
    log: Logger;
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
  // No one has asked in a channel itself, and all members read it.
  const mayShow = async () => (post.threadTs === '' ? checkChannel(post, signal) : undefined);
  if (isEnded(view.status)) await showEnd(view, { ...deps, links, messages, mayShow });
  else {
    log.info({ taskId: post.taskId }, 'the task of a Slack post has no end to show');
    const parts = await messagesWithoutEnd(post, stateOf);
    await showParts(messages, parts);
  }
  await statusCleared;
}

type End = Omit<PostFilesDeps, 'posts'> & {
  posts: PostFilesDeps['posts'];
  links: SlackLinks;
  messages: PostMessages;
  /** @throws when people read there who may not read the answer */
  mayShow: () => Promise<void>;
};

/** Shows the answer, then its files, and links in the place of those that Slack does not take. */
async function showEnd(ended: TaskView, { links, messages, mayShow, ...deps }: End): Promise<void> {
  const view = links.isUnasked ? answerAlone(ended) : ended;
  const files = createPostFiles(deps);
  await files.choose(view.files);
  const render = () => renderFinal({ ...view, files: files.linked(view.files) }, links);
  await mayShow();
  const parts = render();
  await showParts(messages, parts);
  await files.share(deps.post.threadTs || (messages.first()?.ts ?? ''), mayShow);
  const after = render();
  if (JSON.stringify(after) !== JSON.stringify(parts)) await showParts(messages, after);
}

async function showParts(messages: PostMessages, parts: SlackMessage[]): Promise<void> {
  for (const [index, part] of parts.entries()) await messages.showPart(index, part);
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
