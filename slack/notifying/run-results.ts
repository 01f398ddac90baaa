import type { SlackRunResults } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';

type Deps = {
  results: Pick<SlackRunResults, 'collect'>;
  tenant: string;
  log: Pick<Logger, 'warn' | 'error'>;
  /** There are new posts. */
  onPosts: () => void;
  /** How often the rows are asked. */
  pollMs?: number;
};

type RunResults = {
  /** @param team the workspace of the token */
  start(team: string): void;
  stop(): Promise<void>;
};

/** Makes posts of the answers that schedules have for a channel. Safe to run in several processes. */
export function createRunResults({ results, tenant, log, onPosts, pollMs = 2_000 }: Deps): RunResults {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isAway = false;
  let isStopped = false;

  async function collect(team: string) {
    try {
      const { posts, late } = await results.collect({ tenant, team });
      if (posts > 0) onPosts();
      if (late > 0) log.error({ late }, 'answers of schedules came to no channel for a day: they are given up');
      isAway = false;
    } catch (error) {
      if (!isAway) log.warn({ err: error }, 'the answers of schedules cannot be read; they are tried again');
      isAway = true;
    }
    if (!isStopped) timer = setTimeout(() => next(team), pollMs);
  }

  const next = (team: string) => {
    running = collect(team);
  };

  return {
    start: next,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
