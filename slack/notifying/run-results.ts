import type { SlackRunResults } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';

type Deps = {
  results: Pick<SlackRunResults, 'collect'>;
  tenant: string;
  log: Pick<Logger, 'warn'>;
  count: (kind: 'run', outcome: 'elsewhere' | 'quiet', count: number) => void;
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
export function createRunResults({ results, tenant, log, count, onPosts, pollMs = 2_000 }: Deps): RunResults {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isAway = false;
  let isStopped = false;

  async function collect(team: string) {
    try {
      const { posts, elsewhere, quiet } = await results.collect({ tenant, team });
      if (posts > 0) onPosts();
      if (elsewhere > 0) {
        log.warn({ elsewhere }, 'answers of schedules are shown where they were asked for, and in no channel');
        count('run', 'elsewhere', elsewhere);
      }
      if (quiet > 0) count('run', 'quiet', quiet);
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
