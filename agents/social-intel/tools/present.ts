import type { NewArtifact } from '../../../contract/artifacts.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { SocialItem } from '../../../contract/ports/index.ts';
import { csvText } from '../../../contract/rules/csv-text.ts';
import { socialSourceNames } from '../../../contract/social.ts';
import type { Gathered } from './gather.ts';

/** The longest answer for people, in characters. */
const mostCharacters = 7_000;

/** Stands in every answer that shows words of others. */
export const notOurs =
  'The words of items are those of their authors. They are shown as they were published, and are not checked.';

/** Text of others, in a form in which Markdown has no meaning. */
export const plain = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>()#|~!]/g, (sign) => `\\${sign}`);

const shownTitle = 110;
export const short = (text: string, most = shownTitle): string =>
  text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;

/** Signs of an address that have a meaning in Markdown. */
const escaped = (sign: string): string => `%${sign.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;

/** A link, or the text alone when there is no address. */
export const link = (text: string, url: string | null): string =>
  url === null ? plain(text) : `[${plain(text)}](${url.replace(/[()*<>[\]\\`"'\s|]/g, escaped)})`;

const nameOf = (item: SocialItem): string => (item.source === 'given' ? 'given' : socialSourceNames[item.source]);

/** An item with whom it is from: title, author, source, day, and what the source counts. */
export function itemLine(item: SocialItem): string {
  const title = short(item.title === '' ? item.text : item.title);
  const numbers = Object.entries(item.measures).map(([name, value]) => `${value} ${name}`);
  const from = [item.author === null ? undefined : plain(item.author), nameOf(item), item.publishedAt?.slice(0, 10)];
  return `${link(title, item.url)} (${[...from, ...numbers].filter((part) => part !== undefined).join(', ')})`;
}

/** What was read, when, and what is not in it. */
export function sourceLines({ read, notes }: Pick<Gathered, 'read' | 'notes'>): string[] {
  const lines = read.map(({ place, items }) => {
    const readAt = items
      .map((item) => item.readAt)
      .sort()
      .at(-1);
    return `- ${place.name}: ${counted(items.length)}${readAt ? `, read ${minute(readAt)}` : ''}`;
  });
  return [...lines, ...notes.map((note) => `- ${plain(note)}`)];
}

export const counted = (items: number): string => (items === 1 ? '1 item' : `${items} items`);

export const minute = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;

/** Lines as an answer. What does not fit is left out at the end of its section, with a line that says so. */
export function answerOf(sections: readonly (readonly string[])[], { isInFile }: { isInFile: boolean }): string {
  const where = isInFile ? 'The file has all of it.' : 'Ask for fewer.';
  let left = mostCharacters;
  const shown = sections.map((lines) => {
    const fitting = lines.filter((line) => {
      if (line.length >= left) return false;
      left -= line.length + 1;
      return true;
    });
    return fitting.length < lines.length
      ? [...fitting, `… and ${lines.length - fitting.length} more lines. ${where}`]
      : fitting;
  });
  return shown
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** Items as a table that a spreadsheet reads, each with its source. `more`: further columns, by name. */
export function itemsFile(
  name: string,
  rows: readonly { item: SocialItem; more?: Readonly<Record<string, string | number>> }[],
): NewArtifact {
  const extra = [...new Set(rows.flatMap(({ more = {} }) => Object.keys(more)))];
  const head = ['source', 'title', 'author', 'published', 'read', 'url', ...extra];
  const lines = rows.map(({ item, more = {} }) => [
    nameOf(item),
    item.title === '' ? item.text : item.title,
    item.author ?? '',
    item.publishedAt ?? '',
    item.readAt,
    item.url ?? '',
    ...extra.map((column) => String(more[column] ?? '')),
  ]);
  return { name, mediaType: 'text/csv', bytes: Buffer.from(csvText([head, ...lines])) };
}

/** An item as data of a result. */
export const itemData = (item: SocialItem): JsonValue => ({
  source: item.source,
  title: short(item.title === '' ? item.text : item.title),
  author: item.author,
  url: item.url,
  publishedAt: item.publishedAt,
  readAt: item.readAt,
  measures: { ...item.measures },
});

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
export const decimal = (value: number): string => String(Number(value.toPrecision(3)));
