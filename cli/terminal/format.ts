import type { Citation, TaskUsage } from '../../contract/task.ts';

/** Milliseconds as a person says them: 840 ms, 3.2 s, 4 min 5 s. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 3_600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

export const bytes = (count: number) =>
  count < 1_000
    ? `${count} B`
    : count < 1_000_000
      ? `${(count / 1_000).toFixed(1)} kB`
      : `${(count / 1_000_000).toFixed(1)} MB`;

/** US dollars: cents to four places, so that a cheap call is not shown as free. */
export const dollars = (usd: number) =>
  usd === 0 ? '$0' : usd < 0.0001 ? '< $0.0001' : usd < 1 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`;

export const count = (n: number, one: string, many = `${one}s`) =>
  `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

export function tokens({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: TaskUsage): string {
  const read = inputTokens + cacheReadTokens + cacheWriteTokens;
  return `${count(read, 'token')} in, ${outputTokens.toLocaleString('en-US')} out`;
}

/** `policies/expenses.md › Filing › Deadlines, page 3` */
export function place({ document, headingPath, page }: Pick<Citation, 'document' | 'headingPath' | 'page'>): string {
  return [document, ...headingPath].join(' › ') + (page === null ? '' : `, page ${page}`);
}
