import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient, type Client } from '@libsql/client';
import { AlfredError } from '../../../contract/errors.ts';
import { createCurrentFile, newFileName, removeAbandonedFiles, type CurrentFile } from './current-file.ts';
import { formatVersion, schemaStatements } from './schema.ts';
import { explainUnusable, withUsableFolder } from './unusable-index.ts';

/** How long a statement waits while another process writes. The wait blocks this thread; writes are short. */
const busyTimeoutMs = 2_000;

/** How often work on the open file is attempted, including the first attempt. */
const maxAttempts = 8;

/** The pause after a first attempt that found the file busy. Later pauses are longer: twice, three times as long … */
const busyPauseMs = 20;

/**
 * SQLite's codes for a file that is broken or cannot be read. It is replaced by a new one: all content is derived from
 * Postgres.
 */
const brokenCodes = /^SQLITE_(CORRUPT|NOTADB|IOERR)/;

/** A file that was opened but has another format. It is replaced like a file that is no database. */
class OldFormatError extends Error {
  readonly code = 'SQLITE_NOTADB';
}

/** Names the file that could not be opened. `cause` is why. */
class OpenError extends Error {
  readonly fileName: string;

  constructor(fileName: string, cause: unknown) {
    super('an index file could not be opened', { cause });
    this.fileName = fileName;
  }
}

export type OpenFile = { client: Client; name: string };

/**
 * Gives access to the index of one tenant: a libSQL file in `dir`, which the file `current` names. Any number of
 * processes and threads may have it open. A file is never overwritten. A new file gets a new name, and the processes
 * that still use the old one notice the new name before their next operation.
 */
export function createIndexHandle(dir: string) {
  const currentFile = createCurrentFile(dir);
  let opened: Promise<OpenFile> | undefined;

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
     * Puts a copy of an index file in use, in one atomic step.
     *
     * @throws AlfredError `invalid_request` when the file is no index of this format
     */
    adoptCopyOf: (sourcePath: string): Promise<void> => adoptCopy(dir, currentFile, sourcePath),

    /**
     * Runs `work` on the file in use, which is opened first if needed. A broken file is replaced by an empty one, which
     * is filled again from Postgres. `work` may run several times, so it must be safe to repeat.
     *
     * @throws AlfredError `index_unavailable` when neither the file nor a new one can be used: no space, no permission
     */
    async withOpenFile<T>(work: (file: OpenFile) => Promise<T>): Promise<T> {
      let attempt = 0;
      while (true) {
        attempt++;
        let file: OpenFile | undefined;
        try {
          opened ??= openFile(dir, currentFile);
          file = await opened;
          const currentName = await currentFile.read();
          if (currentName === file.name) return await work(file);
          // Another process has put a new file in use: open that one.
          await close();
        } catch (failure) {
          const error = failure instanceof OpenError ? failure.cause : failure;
          const code = codeOf(error);
          const isBusy = code.startsWith('SQLITE_BUSY');
          const wasClosed = code === 'CLIENT_CLOSED';
          const isBroken = brokenCodes.test(code);
          if (!file || isBroken) await close();
          const fileName = failure instanceof OpenError ? failure.fileName : file?.name;
          if (isBroken) await withUsableFolder(() => currentFile.startEmpty(fileName));
          const isRepeated = attempt < maxAttempts && (isBusy || wasClosed || isBroken);
          if (!isRepeated) throw explainUnusable(error, code);
          if (isBusy) await sleep(busyPauseMs * attempt);
        }
      }
    },
  };
}
export type IndexHandle = ReturnType<typeof createIndexHandle>;

/** @throws OpenError when there is a file and it cannot be opened */
async function openFile(dir: string, currentFile: CurrentFile): Promise<OpenFile> {
  await mkdir(dir, { recursive: true });
  const name = (await currentFile.read()) || (await currentFile.startEmpty());
  const client = createClient({
    url: pathToFileURL(join(dir, name)).href,
    timeout: busyTimeoutMs,
    concurrency: 1,
  });
  try {
    await client.execute('pragma journal_mode = wal');
    await client.execute('pragma synchronous = normal');
    const version = await readFormatVersion(client);
    // A new file has version 0.
    if (version === 0) await client.batch(schemaStatements, 'write').catch(ignoreExistingTables);
    else if (version !== formatVersion) throw new OldFormatError('an older format');
    await removeAbandonedFiles(dir, name);
    return { client, name };
  } catch (error) {
    client.close();
    throw new OpenError(name, error);
  }
}

async function adoptCopy(dir: string, currentFile: CurrentFile, sourcePath: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const name = newFileName();
  const path = join(dir, name);
  try {
    await copyFile(sourcePath, path);
    const client = createClient({ url: pathToFileURL(path).href });
    const version = await readFormatVersion(client).finally(() => client.close());
    if (version !== formatVersion) throw new Error(`its format is another than ${formatVersion}`);
  } catch (error) {
    await rm(path, { force: true });
    const { message } = error as Error;
    throw new AlfredError('invalid_request', `${sourcePath} holds no index of this version: ${message}.`, {
      cause: error,
    });
  }
  await currentFile.publish(name);
}

async function readFormatVersion(client: Client) {
  const { rows } = await client.execute('pragma user_version');
  return rows[0]?.[0];
}

/** When two processes open a new file at once, both create its tables. The second one finds them there. */
function ignoreExistingTables(error: unknown) {
  if (!/already exists/.test((error as Error).message)) throw error;
}

/** The error code of SQLite or the system; `''` when there is none. */
function codeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  // The client gives no code when it cannot open a file.
  return typeof message === 'string' && message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : '';
}
