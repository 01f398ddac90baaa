import { Piscina } from 'piscina';
import { AlfredError } from '../../../contract/errors.ts';
import type { Answered, IndexAnswer, IndexJob } from './index-thread.ts';

/** SQLite answers on the thread that asks; these keep it away from the one that serves requests and heartbeats. */
const threads = 2;

export function createIndexThreads() {
  let pool: Piscina | undefined;
  let closed = false;
  const startPool = () =>
    new Piscina({
      filename: new URL('./index-thread.ts', import.meta.url).href,
      name: 'work',
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: 600_000,
      recordTiming: false,
    });
  return {
    /** @throws AlfredError `draining` after `close`, `internal` when the file cannot be used */
    async run<J extends IndexJob>(job: J): Promise<IndexAnswer[J['do']]> {
      if (closed) throw new AlfredError('draining');
      const answered = await ((pool ??= startPool()).run(job) as Promise<Answered>).catch((error: unknown) => {
        throw closed ? new AlfredError('draining') : error;
      });
      if ('done' in answered) return answered.done as IndexAnswer[J['do']];
      const { code, message, cause } = answered.refused;
      throw new AlfredError(code, message, { cause });
    },
    close: async () => {
      closed = true;
      await pool?.destroy();
    },
  };
}
