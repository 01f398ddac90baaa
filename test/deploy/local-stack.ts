import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../../deploy/local/process-table.ts';
import { readLastRun } from '../../deploy/local/run-file.ts';

const entry = fileURLToPath(new URL('../../deploy/local/start.mjs', import.meta.url));

/** What the person's shell gives; nothing of the shell that runs the tests but what finds programs. */
const shell = () => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ...(process.env.TEMPORAL_CLI_PATH ? { TEMPORAL_CLI_PATH: process.env.TEMPORAL_CLI_PATH } : {}),
  ALFRED_SHUTDOWN_GRACE_S: '2',
  // Vectors have a test of their own; the others need the processor.
  ALFRED_EMBEDDINGS: 'none',
});

type Environment = Record<string, string | undefined>;

/** Runs the real entry of `npm start` on a data folder. */
export function startLocal(dataDir: string, { args = [], env = {} }: { args?: string[]; env?: Environment } = {}) {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...shell(), ALFRED_DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const readers: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const look of readers) look();
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return {
    child,
    output: () => output,
    /** Exit code and everything it said. */
    ended,
    /** Resolves when it has said so; rejects when it ends first. */
    says: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => output.includes(text) && resolve();
        readers.push(look);
        look();
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

/** Ends a stack as a person would. */
export async function stopLocal(stack: LocalStack) {
  stack.child.kill('SIGTERM');
  return stack.ended;
}

/** Data folders of one test file. */
export function dataFolders() {
  const made: string[] = [];
  return {
    async make() {
      const dir = await mkdtemp(join(tmpdir(), 'alfred-start-'));
      made.push(dir);
      return dir;
    },
    /** Removes them, and ends what a failed test left running on them. */
    async removeAll() {
      for (const dir of made) {
        const run = readLastRun(dir);
        for (const pid of run ? [run.pid, ...run.children.map((child) => child.pid)] : []) {
          await endProcess(pid, [['SIGKILL', 5_000]]);
        }
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

/** Ends a stack as a power cut would: itself and its servers at once. */
export async function killLocal(stack: LocalStack) {
  const { pid, children } = stack.run();
  for (const victim of [pid, ...children.map((child) => child.pid)]) process.kill(victim, 'SIGKILL');
  await stack.ended;
}

/** A GET, or a POST when there is a body. @throws with what was answered when it is no success */
export async function json<T>(url: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, {
    ...post,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
