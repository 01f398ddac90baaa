import { AlfredError } from '../../../contract/errors.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Documents, SheetFile, SheetReader } from '../../../contract/ports/index.ts';
import { findDocumentId } from '../../tools/documents/find-document-id.ts';
import { shownSource, type Source } from '../intents.ts';
import type { Table } from '../tables/cells.ts';

export type SourcePorts = { documents: Pick<Documents, 'readOriginal' | 'findByName'>; sheets: SheetReader };
type Reading = { scope: Scope; signal: AbortSignal };

/**
 * Reads the tables of a request, documents with the rights of who asks.
 *
 * @returns tables with names that are unlike each other
 * @throws AlfredError `not_found`, `invalid_request` or `file_*`
 */
export async function readSources(ports: SourcePorts, sources: readonly Source[], reading: Reading): Promise<Table[]> {
  const tables: Table[] = [];
  const names = new Set<string>();
  for (const source of sources) {
    const file = await fileOf(ports, source, reading);
    const sheets = await ports.sheets.readSheets(file, reading.signal);
    const label = 'document' in source ? (file.name.split('/').at(-1) ?? file.name) : shownSource(source);
    for (const sheet of sheets) {
      const isOnly = sheets.length === 1 && (sheet.name === 'CSV' || sheet.name === 'JSON');
      const name = isOnly ? label : sources.length === 1 ? sheet.name : `${label} ${sheet.name}`;
      tables.push({ ...sheet, name: unlike(name, names) });
    }
  }
  return tables;
}

async function fileOf(ports: SourcePorts, source: Source, { scope }: Reading): Promise<SheetFile> {
  const encode = (text: string) => new TextEncoder().encode(text);
  if ('csv' in source) return { name: 'table.csv', mediaType: 'text/csv', bytes: encode(source.csv) };
  if ('json' in source)
    return { name: 'table.json', mediaType: 'application/json', bytes: encode(JSON.stringify(source.json)) };
  const id = await findDocumentId(ports.documents, scope, source.document);
  const found = id === undefined ? undefined : await ports.documents.readOriginal(scope, id);
  if (!found)
    throw new AlfredError(
      'not_found',
      `There is no document "${source.document}" that you may read. Give its id, or its whole name as \`alfred documents list\` shows it, or attach the file.`,
    );
  const { document, bytes } = found;
  if (bytes) return { name: document.name, mediaType: document.mediaType, bytes };
  throw new AlfredError(
    'invalid_request',
    `Of "${document.name}" only its text is kept, because a source brought it, and a table needs its cells. Attach the file, or add it with \`alfred documents add\`.`,
  );
}

function unlike(name: string, names: Set<string>): string {
  let shown = name;
  for (let number = 2; names.has(shown); number++) shown = `${name} (${number})`;
  names.add(shown);
  return shown;
}
