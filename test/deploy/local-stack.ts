import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../../deploy/local/process-table.ts';
import { readLastRun } from '../../deploy/local/run-file.ts';

const entry = fileURLToPath(new URL('../../deploy/local/start.mjs', import.meta.url));

/** The environment of a person's shell. From the shell that runs the tests it takes only what finds programs. */
const shellEnvironment = () => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ...(process.env.TEMPORAL_CLI_PATH ? { TEMPORAL_CLI_PATH: process.env.TEMPORAL_CLI_PATH } : {}),
  ALFRED_SHUTDOWN_GRACE_S: '2',
  // Embeddings have a test of their own. Here they would take processor time from the other tests.
  ALFRED_EMBEDDINGS: 'none',
});

type Environment = Record<string, string | undefined>;

/** Runs the real entry of `npm start` on a data folder. */
export function startLocal(
  dataDir: string,
  { args = [], env = {}, cwd = tmpdir() }: { args?: string[]; env?: Environment; cwd?: string } = {},
) {
  const child = spawn(process.execPath, [entry, ...args], {
    // Not the project, whose file `.env` is not for tests.
    cwd,
    env: { ...shellEnvironment(), ALFRED_DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const outputListeners: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of outputListeners) listener();
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return {
    child,
    output: () => output,
    /** Resolves to the exit code and all output. */
    ended,
    /** Resolves when the output contains the text. Rejects when the process ends first. */
    waitForOutput: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const resolveIfPresent = () => output.includes(text) && resolve();
        outputListeners.push(resolveIfPresent);
        resolveIfPresent();
        void ended.then(({ code }) => reject(new Error(`It ended with ${code} before it said "${text}":\n${output}`)));
      }),
    run: () => {
      const run = readLastRun(dataDir);
      if (!run) throw new Error(`no run file in ${dataDir}`);
      return run;
    },
  };
}
export type LocalStack = ReturnType<typeof startLocal>;

/** Ends a stack as a person would, by a signal. */
export async function stopLocal(stack: LocalStack) {
  stack.child.kill('SIGTERM');
  return stack.ended;
}

/** The data folders of one test file. */
export function dataFolders() {
  const folders: string[] = [];
  return {
    async make() {
      const dir = await mkdtemp(join(tmpdir(), 'alfred-start-'));
      folders.push(dir);
      return dir;
    },
    /** Removes the folders, and ends stacks that a failed test left running on them. */
    async removeAll() {
      for (const dir of folders) {
        const run = readLastRun(dir);
        for (const pid of run ? [run.pid, ...run.children.map((child) => child.pid)] : []) {
          await endProcess(pid, [['SIGKILL', 5_000]]);
        }
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

/** Kills a stack and its servers at the same time, like a power failure. */
export async function killLocal(stack: LocalStack) {
  const { pid, children } = stack.run();
  for (const victim of [pid, ...children.map((child) => child.pid)]) process.kill(victim, 'SIGKILL');
  await stack.ended;
}

/** Sends a GET, or a POST when there is a body. @throws Error with status and body when the status is not 2xx */
export async function json<T>(url: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, {
    ...post,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
