import { readdir, readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

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

export const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
export const thousands = (value: number) => Math.round(value).toLocaleString('en');
export const megabytes = (bytes: number) => Math.round(bytes / 1e6);

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
  let sum = 0;
  for (const { isLeader, fields } of await groupOf(pid)) {
    const [user, system, userReaped, systemReaped] = [11, 12, 13, 14].map((i) => Number(fields[i]));
    sum += (user ?? 0) + (system ?? 0) + (isLeader ? (userReaped ?? 0) + (systemReaped ?? 0) : 0);
  }
  return sum / ticks;
}

/** Resident memory of this process and of the given process groups, in bytes. Linux only. */
export async function residentBytes(groups: Record<string, number>): Promise<Record<string, number>> {
  const used: Record<string, number> = { 'Alfred (API and workers)': process.memoryUsage.rss() };
  for (const [name, pid] of Object.entries(groups)) {
    used[name] = 0;
    for (const member of await groupOf(pid)) used[name] += await proportionalBytes(member.pid);
  }
  return used;
}

/** The heap of the main thread after a collection, in bytes. */
export function heapBytes(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** What several processes share counts once over all of them. */
async function proportionalBytes(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024;
}

/** A process and its living children, with what `/proc/<pid>/stat` says behind their names. */
async function groupOf(pid: number) {
  const members: { pid: string; isLeader: boolean; fields: string[] }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isLeader = Number(entry) === pid;
    if (isLeader || Number(fields[1]) === pid) members.push({ pid: entry, isLeader, fields });
  }
  return members;
}
