import type { SlackPost } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isEnded } from '../../contract/task-status.ts';
import { renderFinal } from '../rendering/render.ts';
import type { SlackLinks, SlackMessage } from '../rendering/slack-message.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Clock } from '../api-calls/clock.ts';
import type { TaskFollower } from './follow-task.ts';
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
};

/** Slack shows the task's messages, until they show its end. Safe to repeat, also by another process. */
export async function showTask({ follower, links, onRotation, ...deps }: Deps): Promise<void> {
  const { post, log } = deps;
  const messages = createPostMessages({ ...deps, seq: () => follower.current().view.seq });
  const status = createThreadStatus(deps);
  const progress = createProgress({ ...deps, follower, messages, links, onRotation });

  await messages.recover();
  while (!follower.hasEnded()) {
    const { view } = follower.current();
    const waitMs = await progress.advance();
    // A stream shows by itself that something is happening.
    if (!messages.isStreaming()) status.show(follower.current().view.statusText);
    await follower.changed(view.seq, waitMs);
  }

  // A status goes away at once, also when the message has to wait.
  const statusCleared = status.clear();
  await messages.endStream();
  const { view } = follower.current();
  if (!isEnded(view.status)) log.info({ taskId: post.taskId }, 'the task of a Slack message was erased');
  const parts = isEnded(view.status) ? renderFinal(view, links) : [erased];
  for (const [index, part] of parts.entries()) await messages.showPart(index, part);
  await statusCleared;
}

const erasedText = 'This question and its answer were deleted in Alfred.';
const erased: SlackMessage = {
  text: erasedText,
  blocks: [{ type: 'section', text: { type: 'plain_text', text: erasedText } }],
};
