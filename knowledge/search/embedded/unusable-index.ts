import { AlfredError } from '../../../contract/errors.ts';

/**
 * Codes of SQLite and of the operating system for a file that could not be used, also after all attempts. Any other
 * error is a fault of the work that was done on the file.
 */
const unusableCodes = /^(SQLITE_(CANTOPEN|READONLY|FULL|IOERR|BUSY|CORRUPT|NOTADB)|E[A-Z]+$)/;

/** Why, by the first part of a code, for people. */
const reasons: [RegExp, string][] = [
  [/^(SQLITE_FULL|ENOSPC)/, 'no space is left'],
  [/^EDQUOT/, 'the quota of the disk is used up'],
  [/^(SQLITE_READONLY|EROFS)/, 'it is read-only'],
  [/^(EACCES|EPERM)/, 'writing is not permitted'],
];

/**
 * Turns an error of a file or folder of the index into `index_unavailable`, which tells an operator what to check.
 * Other errors stay as they are.
 */
export function explainUnusable(error: unknown, code = systemCodeOf(error)): unknown {
  if (!unusableCodes.test(code)) return error;
  const reason = reasons.find(([pattern]) => pattern.test(code))?.[1] ?? code;
  return new AlfredError(
    'index_unavailable',
    `The search index cannot be used (${reason}): check that ALFRED_DATA_DIR can be written and has space.`,
    { cause: error },
  );
}

/** Runs work on files and folders of the index outside its threads. @throws AlfredError `index_unavailable` */
export async function withUsableFolder<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainUnusable(error);
  }
}

function systemCodeOf(error: unknown): string {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  return typeof code === 'string' && typeof syscall === 'string' ? code : '';
}
