import { Piscina } from 'piscina';
import { AlfredError } from '../../../contract/errors.ts';
import type { IndexJob, IndexJobResults, JobOutcome } from './index-thread.ts';

/**
 * SQLite blocks the thread that calls it. These threads keep it away from the one that serves requests and heartbeats.
 */
const maxThreads = 2;

export function createIndexThreads() {
  let pool: Piscina | undefined;
  let isClosed = false;
  const startPool = () =>
    new Piscina({
      filename: new URL('./index-thread.ts', import.meta.url).href,
      name: 'runJob',
      minThreads: 1,
      maxThreads,
      idleTimeout: 600_000,
      recordTiming: false,
    });
  return {
    /** @throws AlfredError `draining` after `close`, `index_unavailable` when the file cannot be used */
    async run<J extends IndexJob>(job: J): Promise<IndexJobResults[J['do']]> {
      if (isClosed) throw new AlfredError('draining');
      pool ??= startPool();
      const outcome = await (pool.run(job) as Promise<JobOutcome>).catch((error: unknown) => {
        throw isClosed ? new AlfredError('draining') : error;
      });
      if ('result' in outcome) return outcome.result as IndexJobResults[J['do']];
      const { code, message, cause } = outcome.failure;
      throw new AlfredError(code, message, { cause });
    },
    close: async () => {
      isClosed = true;
      await pool?.destroy();
    },
  };
}
export type IndexThreads = ReturnType<typeof createIndexThreads>;
