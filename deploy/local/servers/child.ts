import { spawn, type SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { endProcess } from '../process-table.ts';

export type Child = {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves when the process has ended, with how: `exit code 1` or `signal SIGKILL`. */
  ended: Promise<string>;
  hasEnded(): boolean;
  /** What it wrote since it was started, the last lines of it. */
  lastLines(count?: number): string;
  /** Asks it to end with the first signal and goes on to the harder ones; resolves when it has ended. */
  stop(): Promise<void>;
};

export type ChildSpec = {
  name: string;
  command: string;
  args: readonly string[];
  /** Takes both output streams; kept across starts, cut when it is long. */
  logFile: string;
  /** Signals with the milliseconds each is given. */
  stopWith: readonly (readonly [NodeJS.Signals, number])[];
  /** Told before anything else can happen, so that a record of the process exists even if we are killed. */
  onSpawn?: ((name: string, pid: number) => void) | undefined;
  options?: Pick<SpawnOptions, 'uid' | 'gid' | 'env' | 'cwd'>;
};

const longLogBytes = 10_000_000;

/**
 * Starts a process in a group of its own, so that the terminal's Ctrl-C does not reach it before we have drained. It
 * writes straight into its log file: no pipe of ours breaks when we are killed.
 */
export function startChild({ name, command, args, logFile, stopWith, onSpawn, options }: ChildSpec): Child {
  const begin = prepareLog(logFile);
  const out = openSync(logFile, 'a', 0o600);
  const child = spawn(command, args, { stdio: ['ignore', out, out], detached: true, ...options });
  closeSync(out);
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    const settle = (how: string) => resolve((end ??= how));
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  const pid = child.pid ?? 0;
  if (pid) onSpawn?.(name, pid);
  return {
    name,
    pid,
    logFile,
    ended,
    hasEnded: () => end !== undefined,
    lastLines: (count = 12) =>
      readFileSync(logFile).subarray(begin).toString('utf8').trimEnd().split('\n').slice(-count).join('\n'),
    async stop() {
      if (end !== undefined || !pid) return;
      await endProcess(pid, stopWith);
      await ended;
    },
  };
}

function prepareLog(logFile: string): number {
  mkdirSync(dirname(logFile), { recursive: true });
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size < longLogBytes) return size;
  renameSync(logFile, `${logFile}.1`);
  return 0;
}
