import type { SlackPost } from '../../contract/ports/index.ts';
import { renderProgress } from '../rendering/render.ts';
import type { SlackLinks, SlackMessage } from '../rendering/slack-message.ts';
import type { TaskFollower } from './follow-task.ts';
import type { PostMessages } from './post-messages.ts';

/** What Slack shows of a running task by a message that is changed. */
export function createTaskUpdates({ follower, messages, links, post }: Deps) {
  const [first] = post.messages;
  let shownSeq = (first?.state === 'shown' ? first.seq : undefined) ?? -1;
  let shownMessage = '';
  let sentSeq = -1;

  const render = (): SlackMessage => {
    const { view, text } = follower.current();
    return renderProgress({ ...view, text }, links);
  };

  /** Called right before the call that shows it. */
  function renderNow(): SlackMessage {
    const message = render();
    shownMessage = JSON.stringify(message);
    sentSeq = follower.current().view.seq;
    return message;
  }

  return {
    isCurrent: () => shownSeq === follower.current().view.seq,

    /** Its events are not read yet as far as a process has read them that had the post before. */
    isBehind: () => follower.current().view.seq < Math.max(1, post.seq),

    async post(stop: AbortSignal): Promise<void> {
      if (await messages.postFirst(renderNow, stop)) shownSeq = sentSeq;
    },

    /** @returns false when the message is lost */
    async update(stop: AbortSignal): Promise<boolean> {
      if (JSON.stringify(render()) === shownMessage) sentSeq = follower.current().view.seq;
      else if (!(await messages.update(0, renderNow, { signal: stop }))) return false;
      shownSeq = sentSeq;
      return true;
    },

    /** Stores what the message shows: a process that takes the post over need not show it again. */
    async remember(): Promise<void> {
      if (shownSeq > 0) await messages.rememberShown(shownSeq);
    },
  };
}

type Deps = { follower: TaskFollower; messages: PostMessages; links: SlackLinks; post: SlackPost };
