import type {
  SlackInbox,
  SlackLinking,
  SlackNotifications,
  SlackPosts,
  SlackThreads,
} from '../contract/ports/index.ts';
import type { Logger } from '../runtime/logger.ts';

const everyMs = 600_000;

type Deps = {
  inbox: Pick<SlackInbox, 'removeOld'>;
  links: Pick<SlackLinking, 'removeOld'>;
  notifications: Pick<SlackNotifications, 'removeOld'>;
  posts: Pick<SlackPosts, 'removeOld'>;
  threads: Pick<SlackThreads, 'removeOld'>;
  log: Pick<Logger, 'info' | 'warn'>;
};

/** Removes rows whose time is over, from time to time. @returns ends that */
export function startRetention({ inbox, links, notifications, posts, threads, log }: Deps): () => void {
  const removeOld = async () => {
    try {
      const removed = {
        deliveries: await inbox.removeOld(),
        links: await links.removeOld(),
        notifications: await notifications.removeOld(),
        posts: await posts.removeOld(),
        threads: await threads.removeOld(),
      };
      if (Object.values(removed).some((count) => count > 0)) log.info(removed, 'old rows of Slack were removed');
    } catch (error) {
      log.warn({ err: error }, 'old rows of Slack could not be removed; the next attempt does it');
    }
  };
  const timer = setInterval(() => void removeOld(), everyMs).unref();
  void removeOld();
  return () => clearInterval(timer);
}
