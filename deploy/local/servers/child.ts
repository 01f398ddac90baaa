import { spawn, type SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { endProcess } from '../process-table.ts';

export type Child = {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves when the process has ended, to `exit code 1` or `signal SIGKILL` for example. Never rejects. */
  ended: Promise<string>;
  hasEnded(): boolean;
  /** The last lines that it wrote since its start. */
  lastLines(count?: number): string;
  /** Sends the signals of `stopWith` one after the other. Resolves when the process has ended. */
  stop(): Promise<void>;
};

export type ChildSpec = {
  name: string;
  command: string;
  args: readonly string[];
  /** Receives both output streams. Kept across starts, and rotated when it is long. */
  logFile: string;
  /** Signals, each with the milliseconds to wait before the next. */
  stopWith: readonly (readonly [NodeJS.Signals, number])[];
  /** Called right after the spawn, so that the process is recorded even if we are killed next. */
  onSpawn?: ((name: string, pid: number) => void) | undefined;
  options?: Pick<SpawnOptions, 'uid' | 'gid' | 'env' | 'cwd'>;
};

const longLogBytes = 10_000_000;

/**
 * Starts a process in its own process group, so that Ctrl-C in the terminal does not end it before we have drained.
 * It writes directly into its log file: with a pipe its output would break when we are killed.
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
