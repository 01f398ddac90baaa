import { mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient, type Client, type InStatement } from '@libsql/client';
import { AlfredError } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';

/** Raise it when tables or the way text is indexed change: older files are then built anew. */
const format = 1;

/** How long a statement waits for another process that writes. The wait blocks this process; writes are short. */
const busyTimeoutMs = 2_000;

/**
 * `passages` says where a row of `words` stands. `words` holds no text, only which words are where: what people read
 * comes from Postgres. Porter stemming found more than words as they are, and more than
 * trigrams: nDCG@10 of .390, .380 and .366 on the Cranfield collection.
 */
const schema: InStatement[] = [
  'drop table if exists words',
  'drop table if exists passages',
  'drop table if exists state',
  'create table state (source text not null, applied integer not null, anchor text)',
  `insert into state values ('', 0, null)`,
  'create table passages (id integer primary key, chunk_id text not null, document_id text not null, tenant text not null)',
  'create index passages_document on passages (document_id)',
  `create virtual table words using fts5 (title, headings, body, content='', contentless_delete=1,
    tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")`,
  `pragma user_version = ${format}`,
];

export type IndexFile = {
  /**
   * Runs statements on the open file, opening it first. A broken file is removed and the work done once more on an
   * empty one.
   *
   * @throws AlfredError `internal` when the file cannot be used and a new one would not help: no space, no permission
   */
  use<T>(work: (client: Client) => Promise<T>): Promise<T>;
  close(): void;
};

type Opened = { client: Client; inode: number };

/** One libSQL file in `dir`. Any number of processes may have it open. */
export function createIndexFile(dir: string, log: Logger): IndexFile {
  const path = join(resolve(dir), 'documents.db');
  let opened: Promise<Opened> | undefined;
  let closed = false;

  const open = async (): Promise<Opened> => {
    await mkdir(dir, { recursive: true });
    // One connection: all go to the same file even when somebody removes it meanwhile.
    const client = createClient({ url: pathToFileURL(path).href, timeout: busyTimeoutMs, concurrency: 1 });
    const { ino: inode } = await stat(path);
    try {
      await client.execute('pragma journal_mode = wal');
      await client.execute('pragma synchronous = normal');
      const { rows } = await client.execute('pragma user_version');
      if (rows[0]?.[0] !== format) await client.batch(schema, 'write');
      return { client, inode };
    } catch (error) {
      client.close();
      throw Object.assign(error as Error, { inode });
    }
  };

  const remove = async (inode: number | undefined, reason: string) => {
    // Another process may have put a whole one in its place already.
    const present = await stat(path).catch(() => undefined);
    if (present?.ino !== inode) return;
    log.warn({ reason }, 'the search index is broken and is built anew');
    for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
  };

  const use = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      if (closed) throw new AlfredError('draining');
      const mine = (opened ??= open());
      let file: Opened | undefined;
      try {
        file = await mine;
        return await work(file.client);
      } catch (error) {
        const code = codeOf(error);
        const isBroken = brokenCodes.test(code);
        if ((!file || isBroken) && opened === mine) {
          opened = undefined;
          file?.client.close();
          if (isBroken) await remove(file?.inode ?? (error as { inode?: number }).inode, code);
        }
        if (attempt >= maxAttempts) throw unusable(error, code);
        if (code.startsWith('SQLITE_BUSY')) await sleep(20 * attempt);
        else if (!isBroken && code !== 'CLIENT_CLOSED') throw unusable(error, code);
      }
    }
  };

  return {
    use,
    close() {
      closed = true;
      opened?.then(({ client }) => client.close()).catch(() => {});
    },
  };
}

const maxAttempts = 8;
/** The file is derived, so an error in reading it is reason enough for a new one. */
const brokenCodes = /^SQLITE_(CORRUPT|NOTADB|IOERR)/;
/** What a person can put right: the file cannot be written, or there is no space. */
const outsideCodes = /^(SQLITE_(CANTOPEN|READONLY|FULL|IOERR|BUSY|CORRUPT|NOTADB)|E[A-Z]+$)/;

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
