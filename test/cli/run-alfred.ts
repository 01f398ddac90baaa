import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../cli/alfred.mjs', import.meta.url));

type Options = {
  node?: string;
  cwd?: string;
  /** All of its standard input; null leaves that open. */
  input?: string | null;
};
export type Ended = { code: number | null; stdout: string; stderr: string };

/** Runs the command as a user does: a process of its own, its streams piped. Its environment is given, never ours. */
export function runAlfred(
  args: string[],
  environment: Record<string, string> = {},
  { node = process.execPath, cwd = process.cwd(), input = '' }: Options = {},
) {
  const child = spawn(node, [entry, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // Most end without reading it.
  child.stdin.on('error', () => undefined);
  if (input !== null) child.stdin.end(input);
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      ended[name] += text;
      for (const check of waiting) check();
    });
  }
  const done = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ ...ended, code })));
  return {
    child,
    done,
    /** Resolves once one of the streams holds the text; rejects when the command ends without it. */
    said: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const check = () => {
          if (!ended.stdout.includes(text) && !ended.stderr.includes(text)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        void done.then(() =>
          reject(new Error(`alfred ended without saying "${text}":\n${ended.stdout}${ended.stderr}`)),
        );
        check();
      }),
  };
}

/** Runs it to its end. */
export const alfred = (args: string[], environment: Record<string, string> = {}, options: Options = {}) =>
  runAlfred(args, environment, options).done;
