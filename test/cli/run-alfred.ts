import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../cli/alfred.mjs', import.meta.url));

type Options = {
  node?: string;
  cwd?: string;
  /** The complete standard input. Null leaves it open. */
  input?: string | null;
};
export type CommandResult = { code: number | null; stdout: string; stderr: string };

/** Starts the command in a process of its own, with pipes. It gets the given environment only, not that of the test. */
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
  // Most commands end without reading their input.
  child.stdin.on('error', () => undefined);
  if (input !== null) child.stdin.end(input);
  const ended: CommandResult = { code: null, stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      ended[name] += text;
      for (const check of waiting) check();
    });
  }
  const done = new Promise<CommandResult>((resolve) => child.once('close', (code) => resolve({ ...ended, code })));
  return {
    child,
    done,
    /** Resolves when the text is in standard output or standard error. Rejects when the command ends without it. */
    waitForOutput: (text: string) =>
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

/** Runs the command to its end. */
export const alfred = (args: string[], environment: Record<string, string> = {}, options: Options = {}) =>
  runAlfred(args, environment, options).done;
