import type { Config } from '../../../runtime/config.ts';
import { startRole } from './role-process.ts';

/**
 * Worker processes that can be killed by name. For each one that ends, another one starts, as under a supervisor. One
 * that ends without being killed is reported on the console.
 */
export function createKillableWorkers(
  [entry = '', ...args]: string[],
  config: Config,
  watch: { urlFor(name: string): string },
) {
  const alive = new Map<string, ReturnType<typeof startRole> & { isReady?: true }>();
  let started = 0;
  let killed = 0;
  let ending = false;
  const start = () => {
    const name = `worker-${++started}`;
    const worker: ReturnType<typeof startRole> & { isReady?: true } = startRole(entry, args, config, {
      DATABASE_URL: watch.urlFor(name),
    });
    alive.set(name, worker);
    worker.child.once('exit', (code, signal) => {
      if (ending || !alive.delete(name)) return;
      console.warn(
        `${name} ended by itself (${code ?? signal}):\n${worker.output().split('\n').slice(-20).join('\n')}`,
      );
      start();
    });
    worker.ready.then(
      () => (worker.isReady = true),
      () => {},
    );
  };
  return {
    start,
    ready: () => [...alive].flatMap(([name, { isReady }]) => (isReady ? [name] : [])),
    someReady: () => Promise.any([...alive.values()].map(({ ready }) => ready)),
    killed: () => killed,
    /**
     * Kills with SIGKILL, at once, so that the process sends nothing more.
     *
     * @returns false when none of that name is ready
     */
    kill(name: string): boolean {
      const worker = alive.get(name);
      if (!worker?.isReady) return false;
      alive.delete(name);
      worker.child.kill('SIGKILL');
      killed++;
      start();
      return true;
    },
    end: () => {
      ending = true;
      return Promise.all([...alive.values()].map((worker) => worker.end('SIGKILL')));
    },
  };
}

export const pick = <T>(random: () => number, list: readonly T[]): T => {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
};
