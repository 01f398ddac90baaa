import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { Config } from '../../../runtime/config.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Starts a role's entry file as a process, configured by environment variables only. */
export function startRole(entry: string, args: string[], config: Config, overrides: Record<string, string> = {}) {
  const fromConfig = Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => (value === undefined ? [] : [[name, textOf(value)]])),
  );
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...fromConfig,
      ALFRED_LOG_LEVEL: 'info',
      ALFRED_LOG_FORMAT: 'json',
      ...overrides,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    lines.on('line', (line) => {
      output += `${line}\n`;
      try {
        const entry = JSON.parse(line) as Record<string, unknown>;
        if (entry.msg === 'ready') resolve(entry);
      } catch {
        // not a log line
      }
    });
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    child.once('exit', (code, signal) =>
      reject(new Error(`${entry} ended (${code ?? signal}) before it was ready:\n${output}`)),
    );
  });
  ready.catch(() => {});
  return {
    child,
    /** The log entry `ready`. Rejects when the process ends before. */
    ready,
    output: () => output,
    async end(signal: NodeJS.Signals = 'SIGTERM') {
      await endChild(child, signal);
      return child.exitCode;
    },
  };
}

/** A configuration value as an environment variable: lists with commas, records as JSON. */
function textOf(value: Config[keyof Config]): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
