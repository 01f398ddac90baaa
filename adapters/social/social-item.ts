import type { SocialItem } from '../../contract/ports/index.ts';
import { socialTextLimits } from '../../contract/social.ts';
import { oneLine } from './plain-text.ts';

type Found = Pick<SocialItem, 'source' | 'id' | 'readAt'> & {
  title: string;
  text: string;
  url: string | undefined;
  author: string | undefined;
  publishedAt: string | undefined;
  measures?: Record<string, unknown>;
};

const cut = (text: string, most: number): string => {
  const line = oneLine(text);
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line;
};

/** An item within the limits, regardless of what the source has sent. */
export const socialItem = ({ source, id, readAt, measures = {}, ...found }: Found): SocialItem => ({
  source,
  id: cut(id, socialTextLimits.url),
  title: cut(found.title, socialTextLimits.title),
  text: cut(found.text, socialTextLimits.text),
  url: webAddress(found.url),
  author: found.author === undefined || found.author.trim() === '' ? null : cut(found.author, socialTextLimits.author),
  publishedAt: isoTime(found.publishedAt),
  readAt,
  measures: Object.fromEntries(
    Object.entries(measures).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  ),
});

/** An address that may be shown as a link; null for every other scheme, and for one that is too long. */
export function webAddress(text: string | undefined): string | null {
  const url = text === undefined || text.length > socialTextLimits.url ? null : URL.parse(text.trim());
  return url && /^https?:$/.test(url.protocol) ? url.href : null;
}

export function isoTime(text: string | undefined): string | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** Whether each of the words stands in the item. */
export function holdsWords({ title, text }: SocialItem, words: string | undefined): boolean {
  const where = `${title} ${text}`.toLowerCase();
  return (words ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => where.includes(word));
}

/** Newest first; what has no date comes last. */
export const newestFirst = (a: SocialItem, b: SocialItem): number =>
  (b.publishedAt ?? '').localeCompare(a.publishedAt ?? '');
