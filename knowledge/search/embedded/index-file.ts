import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient, type Client } from '@libsql/client';
import { AlfredError } from '../../../contract/errors.ts';
import { abandonedAfterMs, ageMsOf } from './scratch-folder.ts';
import { format, schema } from './schema.ts';

/** How long a statement waits for another process that writes. The wait blocks this thread; writes are short. */
const busyTimeoutMs = 2_000;

export type OpenIndex = { client: Client; name: string };

/**
 * The index of one tenant: a libSQL file in `dir`, whose name stands in `current`. Any number of processes and threads may
 * have it open. A file is never put in another's place: a new one gets a new name, and whoever works on the old one finds
 * out before its next work.
 */
export function createIndexFile(dir: string) {
  const pointer = join(resolve(dir), 'current');
  let opened: Promise<OpenIndex> | undefined;

  let last = { stamp: '', name: '' };

  /** `current` is always renamed into its place, so it is another file when it says something else. */
  const currentName = async (): Promise<string> => {
    const found = statSync(pointer, { bigint: true, throwIfNoEntry: false });
    const stamp = found ? `${found.ino} ${found.mtimeNs} ${found.ctimeNs}` : '';
    // Before every query, so it is only looked at: reading it goes through another thread.
    if (stamp === '' || stamp !== last.stamp) last = { stamp, name: await readFile(pointer, 'utf8').catch(() => '') };
    return last.name;
  };

  const open = async (): Promise<OpenIndex> => {
    await mkdir(dir, { recursive: true });
    const name = (await currentName()) || (await begin());
    const path = join(dir, name);
    const client = createClient({ url: pathToFileURL(path).href, timeout: busyTimeoutMs, concurrency: 1 });
    try {
      await client.execute('pragma journal_mode = wal');
      await client.execute('pragma synchronous = normal');
      const { rows } = await client.execute('pragma user_version');
      if (rows[0]?.[0] === 0) await client.batch(schema, 'write').catch(ignoreSecond);
      else if (rows[0]?.[0] !== format) throw Object.assign(new Error('an older format'), { code: 'SQLITE_NOTADB' });
      await removeBut(name);
      return { client, name };
    } catch (error) {
      client.close();
      throw Object.assign(error as Error, { file: name });
    }
  };

  /** Names an empty file as the current one, and removes the files before it. @returns the name that is current then */
  const begin = async (instead = ''): Promise<string> => {
    const name = `passages-${randomBytes(6).toString('hex')}.db`;
    const half = `${pointer}.${name}`;
    await writeFile(half, name);
    // Another process may have begun one already.
    if ((await currentName()) !== instead) await rm(half, { force: true });
    else await rename(half, pointer);
    await removeBut(await currentName(), instead);
    return currentName();
  };

  /** Makes a file current that holds a whole index, in one step. @throws AlfredError `invalid_request` when it holds none */
  const adopt = async (from: string): Promise<void> => {
    await mkdir(dir, { recursive: true });
    const name = `passages-${randomBytes(6).toString('hex')}.db`;
    const path = join(dir, name);
    try {
      await copyFile(from, path);
      const client = createClient({ url: pathToFileURL(path).href });
      const { rows } = await client.execute('pragma user_version').finally(() => client.close());
      if (rows[0]?.[0] !== format) throw new Error(`its format is another than ${format}`);
    } catch (error) {
      await rm(path, { force: true });
      const said = (error as Error).message;
      throw new AlfredError('invalid_request', `${from} holds no index of this version: ${said}.`, { cause: error });
    }
    await writeFile(`${pointer}.${name}`, name);
    // As little as can be between the two: a file that became current there would be nobody’s to remove until it is old.
    const former = existsSync(pointer) ? readFileSync(pointer, 'utf8') : '';
    renameSync(`${pointer}.${name}`, pointer);
    await removeBut(name, former);
  };

  /**
   * Removes the file that was current before. Of the others each may be what another process is about to make current,
   * unless it is so old that whoever made it must have died.
   */
  const removeBut = async (current: string, former?: string) => {
    for (const name of await readdir(dir)) {
      const [, of] = /^(?:current\.)?(passages-\w+\.db)/.exec(name) ?? [];
      if (of === undefined || of === current) continue;
      const path = join(dir, name);
      if (of === former || (await ageMsOf(path)) > abandonedAfterMs) await rm(path, { force: true });
    }
  };

  const close = async () => {
    const mine = opened;
    opened = undefined;
    await mine?.then(
      ({ client }) => client.close(),
      () => {},
    );
  };

  return {
    close,
    adopt,
    /**
     * Runs statements on the open file, opening it first. A broken file is replaced by an empty one and the work done once
     * more.
     *
     * @throws AlfredError `internal` when the file cannot be used and a new one would not help: no space, no permission
     */
    async use<T>(work: (file: OpenIndex) => Promise<T>): Promise<T> {
      for (let attempt = 1; ; attempt++) {
        let file: OpenIndex | undefined;
        try {
          file = await (opened ??= open());
          if ((await currentName()) !== file.name) {
            await close();
            continue;
          }
          return await work(file);
        } catch (error) {
          const code = codeOf(error);
          const isBroken = brokenCodes.test(code);
          if (!file || isBroken) {
            await close();
            if (isBroken) await begin(file?.name ?? (error as { file?: string }).file);
          }
          if (attempt >= maxAttempts) throw unusable(error, code);
          if (code.startsWith('SQLITE_BUSY')) await sleep(20 * attempt);
          else if (!isBroken && code !== 'CLIENT_CLOSED') throw unusable(error, code);
        }
      }
    },
  };
}
export type IndexFile = ReturnType<typeof createIndexFile>;

const maxAttempts = 8;
/** The file is derived, so an error in reading it is reason enough for a new one. */
const brokenCodes = /^SQLITE_(CORRUPT|NOTADB|IOERR)/;
/** What a person can put right: the file cannot be written, or there is no space. */
const outsideCodes = /^(SQLITE_(CANTOPEN|READONLY|FULL|IOERR|BUSY|CORRUPT|NOTADB)|E[A-Z]+$)/;

/** Two that open a new file at once both make its tables; the second finds them there. */
function ignoreSecond(error: unknown) {
  if (!/already exists/.test((error as Error).message)) throw error;
}

function unusable(error: unknown, code: string): unknown {
  if (!outsideCodes.test(code)) return error;
  return new AlfredError(
    'internal',
    'The search index cannot be used: check that ALFRED_DATA_DIR can be written and has space.',
    { cause: error },
  );
}

/** SQLite's or the system's code, `''` when there is none. */
export function codeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  // The client gives a file it cannot open no code of its own.
  return typeof message === 'string' && message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : '';
}
