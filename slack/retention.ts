import type { SlackInbox, SlackPosts } from '../contract/ports/index.ts';
import type { Logger } from '../runtime/logger.ts';

const everyMs = 600_000;

type Deps = {
  inbox: Pick<SlackInbox, 'removeOld'>;
  posts: Pick<SlackPosts, 'removeOld'>;
  log: Pick<Logger, 'info' | 'warn'>;
};

/** Removes rows whose time is over, from time to time. @returns ends that */
export function startRetention({ inbox, posts, log }: Deps): () => void {
  const removeOld = async () => {
    try {
      const removed = { deliveries: await inbox.removeOld(), posts: await posts.removeOld() };
      if (removed.deliveries + removed.posts > 0) log.info(removed, 'old rows of Slack were removed');
    } catch (error) {
      log.warn({ err: error }, 'old rows of Slack could not be removed; the next attempt does it');
    }
  };
  const timer = setInterval(() => void removeOld(), everyMs).unref();
  void removeOld();
  return () => clearInterval(timer);
}
