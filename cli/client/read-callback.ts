import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Callback } from '../../contract/callback.ts';
import { usageError } from '../cli-error.ts';

/** The options of every command that takes a callback. The secret stays out of the list of processes. */
export type CallbackOptions = { callback?: string; callbackSecret?: string };

/**
 * Reads the callback that the options name.
 *
 * @throws CliError when one of the two is missing, or wrong
 */
export async function readCallback({
  callback: url,
  callbackSecret: path,
}: CallbackOptions): Promise<Callback | undefined> {
  if (url === undefined && path === undefined) return undefined;
  if (url === undefined || path === undefined)
    throw usageError('--callback and --callback-secret belong together: the secret signs what is sent to the address.');
  const secret = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${path}: the secret cannot be read (${error.code ?? error.message}).`);
  });
  const parsed = Callback.safeParse({ url, secret: secret.trim() });
  if (!parsed.success) throw usageError(z.prettifyError(parsed.error));
  return parsed.data;
}
