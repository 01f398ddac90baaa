import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { CliError } from '../cli-error.ts';
import { withFileLock } from './file-lock.ts';

/** What `alfred login` keeps of a sign-in at one API. Times are milliseconds since the epoch. */
const StoredSignIn = z.object({
  /** The API that the tokens are for. They are sent to no other one. */
  api: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  parameters: z.record(z.string(), z.string()),
  accessToken: z.string(),
  issuedAt: z.number(),
  expiresAt: z.number(),
  refreshToken: z.string().optional(),
  /** The session at the provider. */
  sid: z.string().optional(),
});
export type StoredSignIn = z.infer<typeof StoredSignIn>;

export type SignInStore = ReturnType<typeof createSignInStore>;

/** `$XDG_CONFIG_HOME/alfred/sign-ins`, usually `~/.config/alfred/sign-ins`. */
export const signInFolder = (environment: NodeJS.ProcessEnv) =>
  join(environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config'), 'alfred', 'sign-ins');

/** Sign-ins of this user of the machine, one file an API, which only this user can read. */
export function createSignInStore(environment: NodeJS.ProcessEnv = process.env) {
  const folder = signInFolder(environment);
  const fileOf = (api: string) =>
    join(folder, `${createHash('sha256').update(new URL(api).href).digest('hex').slice(0, 32)}.json`);

  async function read(api: string): Promise<StoredSignIn | undefined> {
    // Also when the folder belongs to another user: most commands need no sign-in, and say so when they do.
    const text = await readFile(fileOf(api), 'utf8').catch(() => '');
    const stored = StoredSignIn.safeParse(parseJson(text)).data;
    return stored?.api === new URL(api).href ? stored : undefined;
  }

  /** Written beside and renamed into place: a process that reads it never sees half of it. */
  async function write(signIn: Omit<StoredSignIn, 'api'>, api: string): Promise<void> {
    const path = fileOf(api);
    const scratch = `${path}.${randomUUID()}`;
    try {
      await makeFolder(folder);
      {
        await using file = await open(scratch, 'wx', 0o600);
        await file.writeFile(`${JSON.stringify({ ...signIn, api: new URL(api).href })}\n`);
        // A refresh token that was replaced counts no more: losing the new one would end the sign-in.
        await file.sync();
      }
      await rename(scratch, path);
    } catch (error) {
      await rm(scratch, { force: true }).catch(() => undefined);
      throw unusable(path, error as Error);
    }
  }

  return {
    read,
    write,
    remove: (api: string) => rm(fileOf(api), { force: true }),
    /** Runs `work` while no other process changes the sign-in at this API. */
    async locked<T>(api: string, work: () => Promise<T>): Promise<T> {
      // Not `.lock`: versions before kept a text of their own there.
      const path = `${fileOf(api)}.locked`;
      await makeFolder(folder).catch((error: Error) => Promise.reject(unusable(folder, error)));
      return withFileLock(path, work);
    },
  };
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
}

const unusable = (path: string, error: Error) =>
  new CliError(
    `The sign-in cannot be kept in ${path}: ${error.message}. Make the folder writable, set XDG_CONFIG_HOME to another one, or set ALFRED_TOKEN.`,
    { cause: error },
  );
