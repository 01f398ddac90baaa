import type {
  SlackFiles,
  SlackInbox,
  SlackInstallations,
  SlackLinking,
  SlackNotifications,
  SlackPosts,
  SlackThreads,
} from '../contract/ports/index.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';

const everyMs = 600_000;

type Deps = {
  files: Pick<SlackFiles, 'removeOld'>;
  inbox: Pick<SlackInbox, 'removeOld' | 'removeAbandoned'>;
  installations: Pick<SlackInstallations, 'removeOld'>;
  links: Pick<SlackLinking, 'removeOld'>;
  notifications: Pick<SlackNotifications, 'removeOld'>;
  posts: Pick<SlackPosts, 'removeOld'>;
  threads: Pick<SlackThreads, 'removeOld'>;
  /** The workspaces whose deliveries are processed; none before Slack has answered which they are. */
  teams: () => string[];
  log: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'slackDeliveries'>;
};

/** Removes rows whose time is over, from time to time. @returns ends that */
export function startRetention({ teams, log, metrics, ...rows }: Deps): () => void {
  const { files, inbox, installations, links, notifications, posts, threads } = rows;
  const removeAbandoned = async (served: string[]) => {
    if (served.length === 0) return;
    for (const { team, count } of await inbox.removeAbandoned(served)) {
      metrics.slackDeliveries.inc({ outcome: 'abandoned' }, count);
      log.warn(
        { team, count },
        'what a workspace had sent was removed: no process here is in that workspace, and it had waited for a day',
      );
    }
  };
  const removeOld = async () => {
    try {
      const removed = {
        deliveries: await inbox.removeOld(),
        installations: await installations.removeOld(),
        links: await links.removeOld(),
        notifications: await notifications.removeOld(),
        posts: await posts.removeOld(),
        threads: await threads.removeOld(),
        files: await files.removeOld(),
      };
      if (Object.values(removed).some((count) => count > 0)) log.info(removed, 'old rows of Slack were removed');
      await removeAbandoned(teams());
    } catch (error) {
      log.warn({ err: error }, 'old rows of Slack could not be removed; the next attempt does it');
    }
  };
  const timer = setInterval(() => void removeOld(), everyMs).unref();
  void removeOld();
  return () => clearInterval(timer);
}
