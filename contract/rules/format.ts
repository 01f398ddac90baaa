import type { Citation } from '../task.ts';
import { shownDocumentName } from './attached-files.ts';

/** `840 ms`, `3.2 s`, `4 min 5 s`, `2 h 5 min` */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 3_600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** US dollars. Below a dollar with four decimal places, so that a cheap call is not shown as free. */
export const formatDollars = (usd: number): string =>
  usd === 0 ? '$0' : usd < 0.0001 ? '< $0.0001' : usd < 1 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`;

/** `policies/expenses.md › Filing › Deadlines, page 3` */
export const formatPlace = ({
  document,
  headingPath,
  page,
}: Pick<Citation, 'document' | 'headingPath' | 'page'>): string =>
  [shownDocumentName(document), ...headingPath].join(' › ') + (page === null ? '' : `, page ${page}`);
