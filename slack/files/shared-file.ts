import { isRecord } from '../../contract/json.ts';

/** A file of a message, as Slack describes it: https://docs.slack.dev/reference/objects/file-object */
export type SharedFile = {
  id: string;
  /** For people: on one line, without a folder. */
  name: string;
  mediaType: string;
  /** What Slack says. Absent where it only names the file. */
  sizeBytes: number | undefined;
  /** `hosted`, `snippet`, `external`, `tombstone`, `hidden_by_limit` and others. */
  mode: string;
  isExternal: boolean;
  /** Slack only names it, and `files.info` describes it. */
  isStub: boolean;
  url: string | undefined;
};

const longestName = 150;

const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The files that a message has. */
export const filesIn = (files: unknown): SharedFile[] =>
  Array.isArray(files) ? files.flatMap((file) => sharedFileIn(file) ?? []) : [];

/** @returns undefined for what is no file */
export function sharedFileIn(value: unknown): SharedFile | undefined {
  if (!isRecord(value)) return undefined;
  const id = textIn(value.id);
  if (id === undefined) return undefined;
  return {
    id,
    name: shownName(textIn(value.name) ?? textIn(value.title) ?? `file ${id}`),
    mediaType: textIn(value.mimetype) ?? 'application/octet-stream',
    sizeBytes: typeof value.size === 'number' ? value.size : undefined,
    mode: textIn(value.mode) ?? 'hosted',
    isExternal: value.is_external === true,
    isStub: value.file_access === 'check_file_info',
    url: textIn(value.url_private_download) ?? textIn(value.url_private),
  };
}

/** The last part of a path, on one line. A long name keeps its end, which says what kind of file it is. */
function shownName(name: string): string {
  const last = name.split(/[/\\]/).findLast((part) => part.trim() !== '') ?? name;
  const line = last
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .toWellFormed();
  if (line === '' || line === '.' || line === '..') return 'file';
  if (line.length <= longestName) return line;
  const dot = line.lastIndexOf('.');
  const end = dot > 0 && line.length - dot <= 12 ? line.slice(dot) : '';
  return `${line.slice(0, longestName - end.length - 1).toWellFormed()}…${end}`;
}
