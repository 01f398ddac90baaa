import type { Database } from '../../../runtime/database/postgres.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { isSameHistory, readChangeLogHead, readChanges } from '../change-log.ts';
import type { FileState } from './file-state.ts';
import type { IndexThreads } from './index-threads.ts';

type Deps = { db: Database; log: Logger; threads: IndexThreads; model: () => Promise<string> };
type Target = { tenant: string; dir: string };

/** Brings index files up to date with Postgres. */
export function createFileCatchUp({ db, log, threads, model }: Deps) {
  /** Empties a file that follows another database, so that it follows `source` from the beginning. */
  const reset = async (
    { tenant, dir }: Target,
    state: FileState,
    { source, newest }: { source: string; newest: number },
  ) => {
    if (state.source !== '')
      log.warn(
        { tenant, applied: state.applied, newest },
        'the search index follows another database and is built anew',
      );
    await threads.run({ dir, do: 'reset', from: state, source, model: await model() });
  };

  /** @returns whether there were changes to apply */
  const applyNextChanges = async ({ tenant, dir }: Target, state: FileState): Promise<boolean> => {
    const changes = await readChanges(db, { tenant, applied: state.applied, model: state.model });
    if (!changes) return false;
    const { documentIds, documents } = changes;
    const to = { source: state.source, applied: changes.seq, anchor: changes.at };
    await threads.run({ dir, do: 'apply', from: state, changes: { to, model: state.model, documentIds, documents } });
    return true;
  };

  /**
   * Applies every change that was made before the call.
   *
   * @param known the state of the file when this process saw it last, to save reading it
   * @returns the state of the file afterwards
   */
  return async (target: Target, known?: FileState): Promise<FileState> => {
    let newestAtCall: number | undefined;
    let assumed = known;
    while (true) {
      const state = assumed ?? (await threads.run({ dir: target.dir, do: 'state' }));
      const head = await readChangeLogHead(db, target.tenant, state.applied);
      const follows = isSameHistory(state, head);
      if (follows) {
        newestAtCall ??= head.newest;
        if (state.applied >= newestAtCall) return state;
      }
      // Another process may have moved the file since this one saw it: read its state before any work.
      if (assumed) assumed = undefined;
      else if (!follows) await reset(target, state, head);
      else if (!(await applyNextChanges(target, state))) return state;
    }
  };
}
