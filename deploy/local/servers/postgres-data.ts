import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../../../runtime/logger.ts';
import { commandLine, endProcess, isAlive } from '../process-table.ts';
import { StepFailure } from '../step-failure.ts';
import type { RunAs } from './postgres-user.ts';

/** The role that owns the database. */
export const user = 'alfred';

/** SIGINT ends sessions and writes a checkpoint; after SIGQUIT or SIGKILL the next start recovers the data. */
export const stopSignals = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
] as const;

/**
 * Creates the database cluster in a scratch folder and renames it into place: a start that is interrupted leaves no
 * incomplete cluster.
 *
 * @throws StepFailure
 */
export async function initialiseCluster({
  initdb,
  root,
  data,
  password,
  runAs,
  sync,
}: {
  initdb: string;
  root: string;
  data: string;
  password: string;
  runAs: RunAs;
  sync: boolean;
}) {
  const scratch = join(root, 'data.new');
  const passwordFile = join(root, 'password.init');
  try {
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (runAs.owner) for (const path of [scratch, passwordFile]) await chown(path, runAs.owner.uid, runAs.owner.gid);
    const { command, args, options } = runAs.wrap(initdb, [
      `--pgdata=${scratch}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The built-in collation is the same on every machine. Those of operating systems differ and change with updates.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(sync ? [] : ['--no-sync']),
    ]);
    await promisify(execFile)(command, [...args], { ...options, cwd: '/', env: serverEnvironment() });
    await rename(scratch, data);
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code && /^E(ACCES|ROFS|PERM|NOSPC)$/.test(code)) throw notWritable(root, error as Error);
    throw new StepFailure(`Postgres could not make its data folder ${data}: ${(stderr || message).trim()}`, [
      'set ALFRED_DATA_DIR to a folder on a disk with room, or DATABASE_URL to a Postgres that runs elsewhere',
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/**
 * Reads the password of the database role, or creates it at the first start. The file is readable by its owner only.
 */
export async function readOrCreatePassword(file: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  try {
    await writeFile(file, password, { mode: 0o600, flag: 'wx' });
    return password;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(file, error as Error);
    await chmod(file, 0o600);
    return readFile(file, 'utf8');
  }
}

/** @throws StepFailure when the data folder belongs to another user */
export function assertOwned(data: string): void {
  const owner = statSync(data, { throwIfNoEntry: false })?.uid;
  const current = process.getuid?.();
  if (owner === undefined || current === undefined || current === 0 || owner === current) return;
  throw new StepFailure(
    `The data folder ${data} belongs to another user (uid ${owner}); Alfred was last started as root or as that user.`,
    [
      'start as that user again, set ALFRED_DATA_DIR to a folder of your own, or start clean as root: npm start -- --fresh',
    ],
  );
}

/** Gives a data folder that root copied or restored to the user that Postgres runs as: it must own the folder. */
export async function changeOwner(data: string, { owner }: RunAs) {
  if (!owner || statSync(data, { throwIfNoEntry: false })?.uid !== 0) return;
  await promisify(execFile)('chown', ['-R', `${owner.uid}:${owner.gid}`, data]);
}

/**
 * Ends a postmaster that an earlier start left running on this folder. Removes its lock file when that process is gone,
 * or when its id belongs to another program by now.
 *
 * @throws StepFailure when it does not end
 */
export async function endOrphan(data: string, log: Logger) {
  const lock = join(data, 'postmaster.pid');
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid) return;
  if (!isAlive(pid) || !commandLine(pid).includes(`-D ${data}`)) return void (await unlink(lock));
  log.info({ pid }, 'ending the Postgres that an earlier start left behind');
  if (!(await endProcess(pid, stopSignals)))
    throw new StepFailure(`A Postgres of an earlier start (pid ${pid}) still runs on ${data} and does not end.`, [
      `end it: kill -QUIT ${pid}`,
    ]);
}

/**
 * The server gets a clean environment: variables like PGPORT or PGDATA of the person's shell would change its
 * behaviour.
 */
export const serverEnvironment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' });

export const notWritable = (path: string, error: Error) =>
  new StepFailure(`${path} cannot be written: ${error.message}`, [
    'make the folder writable, or set ALFRED_DATA_DIR to one that is',
  ]);
