import { renderProgress } from '../rendering/render.ts';
import type { SlackLinks, SlackMessage } from '../rendering/slack-message.ts';
import type { TaskFollower } from './follow-task.ts';
import type { PostMessages } from './post-messages.ts';

/** What Slack shows of a running task by a message that is changed. */
export function createTaskUpdates({ follower, messages, links }: Deps) {
  let shownSeq = -1;
  let shownMessage = '';

  const render = (): SlackMessage => {
    const { view, text } = follower.current();
    return renderProgress({ ...view, text }, links);
  };

  /** Called right before the call that shows it. */
  function renderNow(): SlackMessage {
    const message = render();
    shownMessage = JSON.stringify(message);
    shownSeq = follower.current().view.seq;
    return message;
  }

  return {
    isCurrent: () => shownSeq === follower.current().view.seq,
    post: (stop: AbortSignal) => messages.postFirst(renderNow, stop),

    /** @returns false when the message is lost */
    async update(stop: AbortSignal): Promise<boolean> {
      if (JSON.stringify(render()) !== shownMessage) return messages.update(0, renderNow, { signal: stop });
      shownSeq = follower.current().view.seq;
      return true;
    },
  };
}

type Deps = { follower: TaskFollower; messages: PostMessages; links: SlackLinks };
