import { readFile } from 'node:fs/promises';

/** Runs `once` `count` times, `concurrency` at a time. @returns what each gave, and the wall time in seconds */
export async function run<T>(
  count: number,
  concurrency: number,
  once: (i: number) => Promise<T>,
): Promise<{ results: T[]; seconds: number }> {
  const results: T[] = [];
  let next = 0;
  const begun = performance.now();
  const lane = async () => {
    while (next < count) results.push(await once(next++));
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { results, seconds: (performance.now() - begun) / 1_000 };
}

export const percentile = (values: number[], p: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN;
};

/** CPU seconds, user and system, that this process and the given process groups have used. Linux only. */
export async function cpuSeconds(groups: Record<string, number>): Promise<Record<string, number>> {
  const { user, system } = process.cpuUsage();
  const used: Record<string, number> = { 'Alfred (API and workers)': (user + system) / 1e6 };
  for (const [name, pid] of Object.entries(groups)) used[name] = await groupSeconds(pid);
  return used;
}

/** A process with its living and reaped children; Postgres has one process a connection. */
async function groupSeconds(pid: number): Promise<number> {
  const ticks = 100;
  const { readdir } = await import('node:fs/promises');
  let sum = 0;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [parent, user, system, userReaped, systemReaped] = [1, 11, 12, 13, 14].map((i) => Number(fields[i]));
    if (Number(entry) === pid) sum += (user ?? 0) + (system ?? 0) + (userReaped ?? 0) + (systemReaped ?? 0);
    else if (parent === pid) sum += (user ?? 0) + (system ?? 0);
  }
  return sum / ticks;
}
