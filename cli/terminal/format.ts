import stringWidth from 'string-width';
import type { TaskUsage } from '../../contract/task.ts';
import { prefixWithin } from './terminal.ts';

export const formatBytes = (count: number) =>
  count < 1_000
    ? `${count} B`
    : count < 1_000_000
      ? `${(count / 1_000).toFixed(1)} kB`
      : `${(count / 1_000_000).toFixed(1)} MB`;

/** `1 file`, `1,200 files` */
export const formatCount = (count: number, singular: string, plural = `${singular}s`) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? singular : plural}`;

export function formatTokens({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: TaskUsage): string {
  const input = inputTokens + cacheReadTokens + cacheWriteTokens;
  return `${formatCount(input, 'token')} in, ${outputTokens.toLocaleString('en-US')} out`;
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
