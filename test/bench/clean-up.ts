import type { Cleanups } from './servers.ts';

/**
 * Ends what a benchmark has started, the last one first. Called again, it returns the same promise.
 *
 * @param onError gets what went wrong with one of them; the others go on
 */
export function createCleanUp(cleanups: Cleanups, onError: (error: unknown) => void): () => Promise<void> {
  let ended: Promise<void> | undefined;
  const end = async () => {
    for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup().catch(onError);
  };
  return () => (ended ??= end());
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A benchmark that a signal ends leaves no process behind: another one would find its ports taken. */
export function cleanUpOnSignals(cleanUp: () => Promise<void>): void {
  for (const [signal, code] of Object.entries(exitCodes))
    process.once(signal, () => {
      // The benchmark fails when its servers go, and must not end the process before all of them are gone.
      process.exitCode = code;
      void cleanUp().finally(() => process.exit(code));
    });
}
