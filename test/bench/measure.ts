import { readdir, readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { percentile } from '../../cli/eval/measures.ts';

/**
 * Calls `work` `count` times, `concurrency` at a time.
 *
 * @returns the results in the order in which they came, and the wall time in seconds
 */
export async function runConcurrently<T>(
  count: number,
  concurrency: number,
  work: (i: number) => Promise<T>,
): Promise<{ results: T[]; seconds: number }> {
  const results: T[] = [];
  let next = 0;
  const startedAtMs = performance.now();
  const runNext = async () => {
    while (next < count) results.push(await work(next++));
  };
  await Promise.all(Array.from({ length: concurrency }, runNext));
  return { results, seconds: (performance.now() - startedAtMs) / 1_000 };
}

/** Prints how long something took. @param values milliseconds */
export const printTimes = (what: string, values: number[]) =>
  console.log(
    `  ${what}: ${[0.5, 0.9, 0.99].map((share) => `p${share * 100} ${percentile(values, share).toFixed(1)} ms`).join(', ')}, most ${Math.max(...values).toFixed(1)} ms`,
  );

/** Prints whether a figure is as it must be. When it is not, the benchmark ends with exit code 1. */
export function judge(what: string, isRight: boolean) {
  console.log(`${isRight ? '✓' : '✗'} ${what}`);
  if (!isRight) process.exitCode = 1;
}

export const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
export const formatThousands = (value: number) => Math.round(value).toLocaleString('en');
export const toMegabytes = (bytes: number) => Math.round(bytes / 1e6);

/** CPU time in seconds, user and system, of this process and of the given processes with their children. Linux only. */
export async function cpuSeconds(processes: Record<string, number>): Promise<Record<string, number>> {
  const { user, system } = process.cpuUsage();
  const used: Record<string, number> = { 'Alfred (API and workers)': (user + system) / 1e6 };
  for (const [name, pid] of Object.entries(processes)) used[name] = await groupSeconds(pid);
  return used;
}

/** Of a process with its running and ended children: Postgres has a process for each connection. */
async function groupSeconds(pid: number): Promise<number> {
  const ticksPerSecond = 100;
  let ticks = 0;
  for (const { isLeader, fields } of await groupOf(pid)) {
    const [user, system, userReaped, systemReaped] = [11, 12, 13, 14].map((i) => Number(fields[i]));
    ticks += (user ?? 0) + (system ?? 0) + (isLeader ? (userReaped ?? 0) + (systemReaped ?? 0) : 0);
  }
  return ticks / ticksPerSecond;
}

/** Resident memory in bytes of this process and of the given processes with their children. Linux only. */
export async function residentBytes(processes: Record<string, number>): Promise<Record<string, number>> {
  const used: Record<string, number> = { 'Alfred (API and workers)': process.memoryUsage.rss() };
  for (const [name, pid] of Object.entries(processes)) {
    used[name] = 0;
    for (const member of await groupOf(pid)) used[name] += await proportionalBytes(member.pid);
  }
  return used;
}

/** The heap of the main thread in bytes, after a garbage collection. */
export function heapBytes(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Memory that several processes share is divided among them. */
async function proportionalBytes(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024;
}

/** A process and its running children, with the fields of `/proc/<pid>/stat` after the name. */
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
