import type { Command } from 'commander';
import { z } from 'zod';
import { DocumentList, type Document } from '../../contract/documents.ts';
import { exitCodes } from '../cli-error.ts';
import { idOfDocument, type Where } from '../client/find-document.ts';
import type { CommandContext } from '../command-context.ts';
import { formatBytes, formatMinute } from '../terminal/format.ts';
import { prefixWithin, table } from '../terminal/terminal.ts';
import { stackEnvironment } from '../stack.ts';
import { addUploads } from './add-documents.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';
import { addDocumentReading } from './read-documents.ts';

export function addDocuments(program: Command, context: CommandContext) {
  const documents = program.command('documents').description('what answers are found in');
  addUploads(documents, context);
  documents
    .command('preview')
    .description('show what would be read of a file, or why not, without adding it; needs no running stack')
    .argument('<file>', 'a file')
    .option('--json', 'as JSON')
    .action(async (path: string, options: { json?: boolean }) => {
      process.exitCode = await preview(path, options, context);
    });
  addListOptions(documents.command('list', { isDefault: true }).description('by name'), { usual: Infinity })
    .option('-c, --collection <name>', 'of this collection only')
    .action((options: ListOptions & Where) => list(options, context));
  addDocumentReading(documents, context);
  documents
    .command('remove')
    .alias('delete')
    .description('remove a document by its name or id')
    .argument('<name>', 'as `alfred documents list` shows it')
    .option('-c, --collection <name>', 'where it stands, when the name is taken in several')
    .option('--json', 'as JSON')
    .action((name: string, options: Where & { json?: boolean }) => remove(name, options, context));
}

async function preview(path: string, { json }: { json?: boolean }, { terminal }: CommandContext): Promise<number> {
  const { createParser } = await import('../../wiring/parser.ts');
  const { loadOcrConfig } = await import('../../runtime/config.ts');
  const { previewFile, printPreview } = await import('../client/preview-file.ts');
  const parser = createParser(loadOcrConfig(await stackEnvironment()), { processes: 1 });
  try {
    const result = await previewFile(path, parser);
    if (json) terminal.printJson(result);
    else printPreview(result, terminal);
    return 'error' in result ? exitCodes.failed : exitCodes.ok;
  } finally {
    await parser.close();
  }
}

async function list({ collection, ...options }: ListOptions & Where, { api, terminal }: CommandContext) {
  const { items: documents, nextCursor } = await readPages(options, {
    usual: Infinity,
    pageSize: 500,
    async read(page) {
      const answer = await api.call('/v1/documents', { query: { collection, ...page }, answer: DocumentList });
      return { ...answer, items: answer.documents };
    },
  });
  if (options.json) return terminal.printJson({ documents, nextCursor });
  if (documents.length === 0)
    return terminal.note('There are no documents yet. Add some: alfred documents add docs/examples/policies');
  terminal.print(table([['NAME', 'TITLE', 'COLLECTION', 'SIZE', 'PASSAGES', 'UPDATED'], ...documents.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = ({ name, title, collection, sizeBytes, chunks, updatedAt }: Document) => [
  name,
  prefixWithin(title, 48),
  collection,
  formatBytes(sizeBytes),
  String(chunks),
  formatMinute(updatedAt),
];

async function remove(name: string, { json, ...where }: Where & { json?: boolean }, { api, terminal }: CommandContext) {
  const id = await idOfDocument(name, where, api);
  await api.call(`/v1/documents/${id}`, { method: 'DELETE', answer: z.undefined() });
  if (json) return terminal.printJson({ id, deleted: true });
  terminal.print(`Removed ${name}.`);
}
