import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../runtime/logger.ts';
import type { IndexThreads } from './index-threads.ts';

/**
 * How soon this process may exchange a tenant's vectors for the same model again: after a success and after a failure.
 */
const repeatAfterMs = { success: 600_000, failure: 60_000 };

type Deps = {
  threads: IndexThreads;
  log: Logger;
  dirOf: (tenant: string) => string;
  /** Builds a tenant's file again with the vectors of the current model. */
  rebuild: (tenant: string) => Promise<void>;
  /** Called when the file has the wanted vectors already: what this process knows of the file is out of date. */
  forgetState: (tenant: string) => void;
  isClosed: () => boolean;
};

/**
 * Exchanges the vectors of a tenant's file for those of another model, in the background: a new file is built beside
 * the one in use, which is searched by words meanwhile. Without a model the vectors stay, because the model may be
 * missing only for a while.
 */
export function createVectorExchange({ threads, log, dirOf, rebuild, forgetState, isClosed }: Deps) {
  const running = new Map<string, Promise<void>>();
  /** The model that a tenant's vectors were exchanged for lately, by tenant. */
  const recent = new LRUCache<string, string>({ max: 10_000, ttl: repeatAfterMs.success });

  const exchange = async (tenant: string, wanted: string) => {
    const { model: current } = await threads.run({ dir: dirOf(tenant), do: 'state' });
    if (current === wanted) return forgetState(tenant);
    log.info({ tenant, before: current, model: wanted }, 'the search index is built anew with another model’s vectors');
    await rebuild(tenant);
    recent.set(tenant, wanted);
  };

  const handleFailure = (tenant: string, wanted: string, error: unknown) => {
    // An exchange reads all documents of a tenant, and the cause of a failure (a full disk) does not go away at once.
    recent.set(tenant, wanted, { ttl: repeatAfterMs.failure });
    if (isClosed()) return;
    log.warn({ err: error, tenant }, 'the search index could not be built anew; a search in a minute begins again');
  };

  return {
    /** Starts an exchange, unless one is running or `wanted` was exchanged lately. */
    start(tenant: string, wanted: string): void {
      // If the model differs again after our exchange, another process is configured with another model. The two must
      // not swap the vectors back and forth.
      if (running.has(tenant) || recent.get(tenant) === wanted) return;
      const ended = exchange(tenant, wanted)
        .catch((error: unknown) => handleFailure(tenant, wanted, error))
        .finally(() => running.delete(tenant));
      running.set(tenant, ended);
    },
    /** Resolves when no exchange is running any more. */
    async ended(): Promise<void> {
      await Promise.all(running.values());
    },
  };
}
