import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Scope } from '../../../../contract/references.ts';
import type { Logger } from '../../../../runtime/logger.ts';
import type { Database } from '../../../../runtime/postgres.ts';
import { follows, readChanges, readStanding } from '../changes.ts';
import type { PassageIndex } from '../passage-index.ts';
import { createShared } from '../shared.ts';
import { matchExpression } from '../terms.ts';
import { createIndexThreads } from './index-threads.ts';
import { format } from './schema.ts';

type Deps = {
  db: Database;
  dir: string;
  log: Logger;
  /** Name of the model whose vectors are taken; `''` for none. */
  model: () => Promise<string>;
};

/**
 * A libSQL file a tenant: full text by FTS5, vectors by an exact comparison after a quick look at all. It follows Postgres:
 * before a query it takes over the changes it has not seen. An absent, broken or foreign file is built anew.
 *
 * @param deps.dir folder of the files; several processes may share it
 */
export function createEmbeddedIndex({ db, dir, log, model }: Deps): PassageIndex {
  const threads = createIndexThreads();
  const dirOf = (tenant: string) => join(resolve(dir), folderOf(tenant));
  const caughtUp = new Map<string, () => Promise<void>>();
  const least = new Map<string, { source: string; applied: number }>();

  /** Takes over every change that was made before the call. */
  const catchUp = async (tenant: string) => {
    const file = { dir: dirOf(tenant) };
    let target: number | undefined;
    for (;;) {
      const [position, wanted] = await Promise.all([threads.run({ ...file, do: 'position' }), model()]);
      const standing = await readStanding(db, tenant, position.applied);
      // Without a model the vectors of the last one stay: it may only be missing for a while.
      if (!follows(position, standing) || (wanted !== '' && position.model !== wanted)) {
        if (position.source !== '')
          log.warn(
            { tenant, applied: position.applied, newest: standing.newest, model: wanted },
            'the search index follows another database or model and is built anew',
          );
        await threads.run({ ...file, do: 'anew', from: position, source: standing.source, model: wanted });
        continue;
      }
      target ??= standing.newest;
      if (position.applied >= target) return void least.set(tenant, { source: position.source, applied: target });
      const changes = await readChanges(db, { tenant, applied: position.applied, model: position.model });
      if (!changes) return void least.set(tenant, { source: position.source, applied: position.applied });
      const to = { source: position.source, applied: changes.seq, anchor: changes.at };
      await threads.run({ ...file, do: 'apply', from: position, changes: { ...changes, to, model: position.model } });
    }
  };

  const caught = async (tenant: string) => {
    const shared = caughtUp.get(tenant) ?? createShared(() => catchUp(tenant));
    caughtUp.set(tenant, shared);
    await shared();
    return least.get(tenant) ?? { source: '', applied: 0 };
  };

  return {
    name: `embedded-${format}`,
    async find({ tenant }: Scope, filter, { text, vector }, depth) {
      const query = { filter, match: matchExpression(text), vector, depth };
      for (;;) {
        const found = await threads.run({ dir: dirOf(tenant), do: 'find', least: await caught(tenant), query });
        if (found) return found;
      }
    },
    async state(tenant) {
      const { applied } = await caught(tenant);
      const counts = await threads.run({ dir: dirOf(tenant), do: 'counts' });
      return { ...counts, applied };
    },
    close: () => threads.close(),
  };
}

/** A tenant's name may hold what a file's may not. */
const folderOf = (tenant: string) =>
  `${tenant.replace(/[^\w-]/g, '_').slice(0, 40)}-${createHash('sha256').update(tenant).digest('hex').slice(0, 8)}`;
