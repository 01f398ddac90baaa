import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import type { Config } from '../../../runtime/config.ts';
import { startRole } from './role-process.ts';

type Role = ReturnType<typeof startRole> & { entry?: Record<string, unknown> };

/** What a supervisor waits before it starts a process that ended by itself. */
const restartAfterMs = 500;

/**
 * Processes of one role that can be killed by name. For each one that ends, another one starts, as under a supervisor.
 *
 * @param watch.onLine receives every line of their logs
 * @param watch.onEnd receives what a process that ended without being killed wrote last; default: the console
 */
export function createKillableProcesses(
  [entry = '', ...args]: string[],
  config: Config,
  watch: { urlFor(name: string): string; onEnd?: (message: string) => void; onLine?: (line: string) => void },
) {
  const { onEnd = (message) => console.warn(message), onLine = () => {} } = watch;
  const alive = new Map<string, Role>();
  let started = 0;
  let killed = 0;
  let ending = false;
  const start = () => {
    const name = `worker-${++started}`;
    const role: Role = startRole(entry, args, config, { DATABASE_URL: watch.urlFor(name) });
    alive.set(name, role);
    createInterface({ input: role.child.stdout }).on('line', onLine);
    role.child.once('exit', (code, signal) => {
      if (ending || !alive.delete(name)) return;
      onEnd(`${name} ended by itself (${code ?? signal}):\n${role.output().split('\n').slice(-20).join('\n')}`);
      void sleep(restartAfterMs).then(() => {
        if (!ending) start();
      });
    });
    role.ready.then(
      (ready) => (role.entry = ready),
      () => {},
    );
  };
  return {
    start,
    ready: () => [...alive].flatMap(([name, { entry }]) => (entry ? [name] : [])),
    /** The log entries `ready` of the processes that are ready. */
    entries: () => [...alive.values()].flatMap(({ entry }) => (entry ? [entry] : [])),
    someReady: () => Promise.any([...alive.values()].map(({ ready }) => ready)),
    killed: () => killed,
    /**
     * Kills with SIGKILL, at once, so that the process sends nothing more.
     *
     * @returns false when none of that name is ready
     */
    kill(name: string): boolean {
      const role = alive.get(name);
      if (!role?.entry) return false;
      alive.delete(name);
      role.child.kill('SIGKILL');
      killed++;
      start();
      return true;
    },
    end: () => {
      ending = true;
      return Promise.all([...alive.values()].map((role) => role.end('SIGKILL')));
    },
  };
}

export const pick = <T>(random: () => number, list: readonly T[]): T => {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
};
