import type { Command } from 'commander';
import { Document, DocumentText, maxTextRange } from '../../contract/documents.ts';
import { idOfDocument, type Where } from '../client/find-document.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes, formatCount } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { wholeNumber } from './number-options.ts';

type TextOptions = Where & { start?: number; end?: number; atVersion?: number; json?: boolean };

/** Adds the commands that show a document and its text. */
export function addDocumentReading(documents: Command, context: CommandContext) {
  documents
    .command('show')
    .description('show what is known of a document: kind, readers, where it came from')
    .argument('<name>', 'its name or id')
    .option('-c, --collection <name>', 'where it stands, when the name is taken in several')
    .option('--json', 'as JSON')
    .action((name: string, options: Where & { json?: boolean }) => show(name, options, context));
  documents
    .command('text')
    .description('print the text of a document, as it was read and is cited')
    .argument('<name>', 'its name or id')
    .option('-c, --collection <name>', 'where it stands, when the name is taken in several')
    .option('--start <offset>', 'from here on, counted as citations count', wholeNumber({ from: 0, like: 120 }))
    .option('--end <offset>', 'up to here', wholeNumber({ from: 0, like: 180 }))
    .option('--at-version <number>', 'only this version of it', wholeNumber({ from: 1, like: 2 }))
    .option('--json', 'as JSON: a line for each part of the text, with its place and version')
    .action((name: string, options: TextOptions) => printText(name, options, context));
}

async function show(
  name: string,
  { json, ...where }: Where & { json?: boolean },
  { api, terminal }: CommandContext,
): Promise<void> {
  const document = await api.call(`/v1/documents/${await idOfDocument(name, where, api)}`, { answer: Document });
  if (json) return terminal.printJson(document);
  const { readers, tags, language, origin, notice } = document;
  terminal.print(
    table([
      ['name', document.name],
      ['id', document.id],
      ['title', document.title],
      ['collection', document.collection],
      ['read as', document.mediaType],
      ...(notice === null ? [] : [['', notice]]),
      ['size', `${formatBytes(document.sizeBytes)}, ${formatCount(document.characters, 'character')} of text`],
      ['passages', String(document.chunks)],
      ['language', language ?? 'not recognised'],
      ['owner', document.owner],
      ['readers', readers.length > 0 ? readers.join(', ') : 'the owner'],
      ...(tags.length > 0 ? [['tags', tags.join(', ')]] : []),
      ...(origin === null ? [] : [['from', origin]]),
      ['version', `${document.version}, of ${document.updatedAt}`],
    ]),
  );
}

/** Prints a text in as many parts as it needs, all of one version. */
async function printText(
  name: string,
  { start = 0, end, atVersion, json, ...where }: TextOptions,
  context: CommandContext,
) {
  const { api, terminal } = context;
  const id = await idOfDocument(name, where, api);
  let from = start;
  let of = atVersion;
  while (true) {
    const to = Math.min(end ?? Infinity, from + maxTextRange);
    const query = { start: from, end: to, version: of };
    const part = await api.call(`/v1/documents/${id}/text`, { query, answer: DocumentText });
    if (json) terminal.print(JSON.stringify(part));
    else terminal.write(part.text);
    of = part.version;
    from = part.end;
    if (from >= Math.min(end ?? Infinity, part.characters)) break;
  }
  if (terminal.isLive && !json) terminal.print();
}
