import stringWidth from 'string-width';
import type { Citation, TaskUsage } from '../../contract/task.ts';
import { prefixWithin } from './terminal.ts';

/** `840 ms`, `3.2 s`, `4 min 5 s`, `2 h 5 min` */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 3_600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

export const formatBytes = (count: number) =>
  count < 1_000
    ? `${count} B`
    : count < 1_000_000
      ? `${(count / 1_000).toFixed(1)} kB`
      : `${(count / 1_000_000).toFixed(1)} MB`;

/** US dollars. Below a dollar with four decimal places, so that a cheap call is not shown as free. */
export const formatDollars = (usd: number) =>
  usd === 0 ? '$0' : usd < 0.0001 ? '< $0.0001' : usd < 1 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`;

/** `1 file`, `1,200 files` */
export const formatCount = (count: number, singular: string, plural = `${singular}s`) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? singular : plural}`;

export function formatTokens({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: TaskUsage): string {
  const input = inputTokens + cacheReadTokens + cacheWriteTokens;
  return `${formatCount(input, 'token')} in, ${outputTokens.toLocaleString('en-US')} out`;
}

/** `policies/expenses.md › Filing › Deadlines, page 3` */
export function formatPlace({
  document,
  headingPath,
  page,
}: Pick<Citation, 'document' | 'headingPath' | 'page'>): string {
  return [document, ...headingPath].join(' › ') + (page === null ? '' : `, page ${page}`);
}

/** `2026-11-01 08:30`, of an ISO 8601 time in UTC */
export const formatMinute = (at: string) => at.slice(0, 16).replace('T', ' ');

/** `2026-11-01 08:30:15`, of an ISO 8601 time in UTC */
export const formatSecond = (at: string) => at.slice(0, 19).replace('T', ' ');

/** The text on one line, cut at the given width in columns. */
export function oneLine(text: string, width = 60): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return stringWidth(line) <= width ? line : `${prefixWithin(line, width - 1)}…`;
}
