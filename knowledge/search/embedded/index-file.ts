import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient, type Client } from '@libsql/client';
import { AlfredError } from '../../../contract/errors.ts';
import { createCurrentFile, newFileName, removeOtherFiles, type CurrentFile } from './current-file.ts';
import { format, schema } from './schema.ts';

/** How long a statement waits while another process writes. The wait blocks this thread; writes are short. */
const busyTimeoutMs = 2_000;

const maxAttempts = 8;

export type OpenIndex = { client: Client; name: string };

/**
 * The index of one tenant: a libSQL file in `dir`, named by `current`. Any number of processes and threads may have it
 * open. A file is never overwritten. A new file gets a new name, and those that still use the old one notice it before
 * their next operation.
 */
export function createIndexFile(dir: string) {
  const current = createCurrentFile(dir);
  let opened: Promise<OpenIndex> | undefined;

  const close = async () => {
    const closing = opened;
    opened = undefined;
    await closing?.then(
      ({ client }) => client.close(),
      () => {},
    );
  };

  return {
    close,

    /**
     * Puts a copy of the index file `from` in use, in one atomic step.
     *
     * @throws AlfredError `invalid_request` when `from` is no index of this format
     */
    adopt: (from: string): Promise<void> => adoptFile(dir, current, from),

    /**
     * Runs `work` on the open file, and opens it first if needed. A broken file is replaced by an empty one, and the
     * work is done again.
     *
     * @throws AlfredError `internal` when the file cannot be used and a new one would not help: no space, no permission
     */
    async use<T>(work: (file: OpenIndex) => Promise<T>): Promise<T> {
      let attempt = 0;
      while (true) {
        attempt++;
        let file: OpenIndex | undefined;
        try {
          opened ??= openFile(dir, current);
          file = await opened;
          if ((await current.read()) === file.name) return await work(file);
          await close();
        } catch (error) {
          const code = codeOf(error);
          const isBroken = brokenCodes.test(code);
          if (!file || isBroken) await close();
          if (isBroken) await current.startEmpty(file?.name ?? (error as { file?: string }).file);
          if (attempt >= maxAttempts) throw unusableError(error, code);
          if (code.startsWith('SQLITE_BUSY')) await sleep(20 * attempt);
          else if (!isBroken && code !== 'CLIENT_CLOSED') throw unusableError(error, code);
        }
      }
    },
  };
}
export type IndexFile = ReturnType<typeof createIndexFile>;

async function openFile(dir: string, current: CurrentFile): Promise<OpenIndex> {
  await mkdir(dir, { recursive: true });
  const name = (await current.read()) || (await current.startEmpty());
  const client = createClient({
    url: pathToFileURL(join(dir, name)).href,
    timeout: busyTimeoutMs,
    concurrency: 1,
  });
  try {
    await client.execute('pragma journal_mode = wal');
    await client.execute('pragma synchronous = normal');
    const { rows } = await client.execute('pragma user_version');
    if (rows[0]?.[0] === 0) await client.batch(schema, 'write').catch(ignoreExistingTables);
    else if (rows[0]?.[0] !== format) throw Object.assign(new Error('an older format'), { code: 'SQLITE_NOTADB' });
    await removeOtherFiles(dir, name);
    return { client, name };
  } catch (error) {
    client.close();
    throw Object.assign(error as Error, { file: name });
  }
}

async function adoptFile(dir: string, current: CurrentFile, from: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const name = newFileName();
  const path = join(dir, name);
  try {
    await copyFile(from, path);
    const client = createClient({ url: pathToFileURL(path).href });
    const { rows } = await client.execute('pragma user_version').finally(() => client.close());
    if (rows[0]?.[0] !== format) throw new Error(`its format is another than ${format}`);
  } catch (error) {
    await rm(path, { force: true });
    const { message } = error as Error;
    throw new AlfredError('invalid_request', `${from} holds no index of this version: ${message}.`, { cause: error });
  }
  await current.publish(name);
}

/** The file is derived from Postgres, so an error in reading it is reason enough to build a new one. */
const brokenCodes = /^SQLITE_(CORRUPT|NOTADB|IOERR)/;
/** What an operator can fix: the file cannot be written, or there is no space. */
const operatorCodes = /^(SQLITE_(CANTOPEN|READONLY|FULL|IOERR|BUSY|CORRUPT|NOTADB)|E[A-Z]+$)/;

/** When two processes open a new file at once, both create its tables; the second finds them there. */
function ignoreExistingTables(error: unknown) {
  if (!/already exists/.test((error as Error).message)) throw error;
}

function unusableError(error: unknown, code: string): unknown {
  if (!operatorCodes.test(code)) return error;
  return new AlfredError(
    'internal',
    'The search index cannot be used: check that ALFRED_DATA_DIR can be written and has space.',
    { cause: error },
  );
}

/** The error code of SQLite or the system; `''` when there is none. */
function codeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  // The client gives no code when it cannot open a file.
  return typeof message === 'string' && message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : '';
}
