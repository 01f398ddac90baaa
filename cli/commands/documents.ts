import type { Command } from 'commander';
import { z } from 'zod';
import { DocumentList, Ingestion, Placement, type Document } from '../../contract/documents.ts';
import { readableKinds } from '../../contract/readable-files.ts';
import type { ApiClient } from '../client/api-client.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import { collectFiles, type CollectedFiles } from '../client/collect-files.ts';
import type { CommandContext } from '../command-context.ts';
import { followIngestions, refreshIngestions, sumCounts } from '../client/follow-ingestions.ts';
import { formatBytes, formatCount, formatMinute } from '../terminal/format.ts';
import { prefixWithin, table } from '../terminal/terminal.ts';
import { stackEnvironment } from '../stack.ts';
import { upload, type Upload } from '../client/upload.ts';

export function addDocuments(program: Command, context: CommandContext) {
  const documents = program.command('documents').description('what answers are found in');
  documents
    .command('add')
    .description(`add files or folders (${readableKinds}); the same file again changes nothing`)
    .argument('<path...>', 'files or folders')
    .option('-c, --collection <name>', 'where they go; a name is taken once in each', 'default')
    .option('-r, --reader <who...>', 'who may read them beside you: everyone, group:<name>, subject:<id>')
    .option('--private', 'nobody but you may read them')
    .option('-t, --tag <tag...>', 'what a search can be narrowed by')
    .action(async (paths: string[], options: AddOptions) => {
      process.exitCode = await add(paths, placementOf(options), context);
    });
  documents
    .command('retry')
    .description('read the files of an upload that were not read; they are kept for a week')
    .argument('<ingestion>', 'as `alfred documents add` names it')
    .action(async (id: string) => {
      process.exitCode = await retry(id, context);
    });
  documents
    .command('preview')
    .description('show what would be read of a file, or why not, without adding it; needs no running stack')
    .argument('<file>', 'a file')
    .option('--json', 'as JSON')
    .action(async (path: string, options: { json?: boolean }) => {
      process.exitCode = await preview(path, options, context);
    });
  documents
    .command('list')
    .description('list all documents')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) => list(options, context));
  documents
    .command('remove')
    .description('remove a document by its name or id')
    .argument('<name>', 'as `alfred documents list` shows it')
    .option('-c, --collection <name>', 'where it stands, when the name is taken in several')
    .action((name: string, options: Where) => remove(name, options, context));
}

type AddOptions = { collection: string; reader?: string[]; private?: boolean; tag?: string[] };

function placementOf({ collection, reader, private: isPrivate, tag }: AddOptions): Placement {
  if (isPrivate && reader) throw usageError('Say --private or --reader, not both.');
  const readers = isPrivate ? [] : reader;
  const parsed = Placement.safeParse({ collection, ...(readers && { readers }), ...(tag && { tags: tag }) });
  if (!parsed.success) throw usageError(z.prettifyError(parsed.error));
  return parsed.data;
}

async function add(paths: string[], placement: Placement, { api, terminal }: CommandContext): Promise<number> {
  const found = await collectFiles(paths);
  if (found.files.length === 0)
    throw usageError(
      `There is nothing to add in ${paths.join(', ')}${skippedPhrase(found)}. Alfred reads ${readableKinds}.`,
    );
  terminal.note(`Adding ${formatCount(found.files.length, 'file')}${skippedPhrase(found)} …`);
  const say = (line: string) => terminal.note(line, 'dim');

  let printedAt = Date.now();
  const show = (ingestions: Ingestion[], sent: number) => {
    const { pending, ...done } = sumCounts(ingestions);
    const finished = done.added + done.replaced + done.unchanged + done.failed;
    const line = `${finished} of ${found.files.length} done (${sent} sent, ${pending} waiting, ${done.failed} failed)`;
    if (terminal.isLiveStatus) terminal.status(line);
    else if (Date.now() - printedAt > 2_000) {
      printedAt = Date.now();
      terminal.note(line);
    }
  };
  const sent = await upload(
    api,
    { files: found.files, placement },
    async (state) => {
      state.ingestions = await refreshIngestions(api, state.ingestions).catch(() => state.ingestions);
      show(state.ingestions, state.sent);
    },
    say,
  );
  const ended = await followIngestions(api, sent.ingestions, (ingestions) => show(ingestions, sent.sent), say);
  return summarise(ended, sent, { terminal });
}

async function retry(id: string, { api, terminal }: CommandContext): Promise<number> {
  const ingestion = await api.call(`/v1/ingestions/${encodeURIComponent(id)}/retry`, {
    method: 'POST',
    answer: Ingestion,
  });
  terminal.note(`Reading ${formatCount(ingestion.files, 'file')} again …`);
  const ended = await followIngestions(
    api,
    [ingestion],
    ([now]) => {
      if (terminal.isLiveStatus && now) terminal.status(`${now.files - now.counts.pending} of ${now.files} done`);
    },
    (line) => terminal.note(line, 'dim'),
  );
  return summarise(ended, { refused: [] }, { terminal });
}

function summarise(
  ended: Ingestion[],
  { refused }: Pick<Upload, 'refused'>,
  { terminal }: Pick<CommandContext, 'terminal'>,
): number {
  const { added, replaced, unchanged, failed, pending } = sumCounts(ended);
  const failures = [
    ...refused,
    ...ended.flatMap((one) =>
      one.failures.map(({ name, error }) => ({ name, message: error?.message ?? 'could not be read' })),
    ),
  ];
  terminal.clearStatus();
  terminal.print(`${added} added, ${replaced} replaced, ${unchanged} unchanged, ${failed + refused.length} failed`);
  for (const { name, message } of failures)
    terminal.note(`  ${message.startsWith(name) ? message : `${name}: ${message}`}`);
  for (const { id, retryOf } of ended.filter(({ counts }) => counts.failed + counts.pending > 0))
    terminal.note(
      `Try again what was not read, once its cause is gone: alfred documents retry ${retryOf ?? id}`,
      'dim',
    );
  for (const { status, links } of ended.filter(({ status }) => status !== 'completed'))
    terminal.note(`An upload ended as ${status}; see ${links.temporal}`);
  if (pending > 0) terminal.note(`Still waiting when their upload ended: ${formatCount(pending, 'file')}.`);
  return failures.length > 0 || ended.some(({ status }) => status !== 'completed') ? exitCodes.failed : exitCodes.ok;
}

async function preview(path: string, { json }: { json?: boolean }, { terminal }: CommandContext): Promise<number> {
  const { createParser } = await import('../../wiring/parser.ts');
  const { loadOcrConfig } = await import('../../runtime/config.ts');
  const { previewFile, printPreview } = await import('../client/preview-file.ts');
  const parser = createParser(loadOcrConfig(await stackEnvironment()), { processes: 1 });
  try {
    const result = await previewFile(path, parser);
    if (json) terminal.print(JSON.stringify(result, null, 2));
    else printPreview(result, terminal);
    return 'error' in result ? exitCodes.failed : exitCodes.ok;
  } finally {
    await parser.close();
  }
}

const skippedPhrase = ({ skipped: { unsupported, hidden } }: CollectedFiles) => {
  const parts = [
    unsupported > 0 && `${unsupported} of other kinds`,
    hidden > 0 && `${hidden} hidden or node_modules`,
  ].filter(Boolean);
  return parts.length > 0 ? ` (skipped: ${parts.join(', ')})` : '';
};

async function list({ json }: { json?: boolean }, { api, terminal }: CommandContext) {
  const all: Document[] = [];
  for await (const document of allDocuments(api)) all.push(document);
  if (json) return terminal.print(JSON.stringify(all, null, 2));
  if (all.length === 0)
    return terminal.note('There are no documents yet. Add some: alfred documents add docs/examples/policies');
  terminal.print(table([['NAME', 'TITLE', 'COLLECTION', 'SIZE', 'PASSAGES', 'UPDATED'], ...all.map(rowOf)]));
}

const rowOf = ({ name, title, collection, sizeBytes, chunks, updatedAt }: Document) => [
  name,
  prefixWithin(title, 48),
  collection,
  formatBytes(sizeBytes),
  String(chunks),
  formatMinute(updatedAt),
];

type Where = { collection?: string };

async function* allDocuments(api: ApiClient, { collection }: Where = {}): AsyncGenerator<Document> {
  let cursor: string | undefined;
  do {
    const query = { limit: 500, cursor, collection };
    const page: DocumentList = await api.call('/v1/documents', { query, answer: DocumentList });
    yield* page.documents;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

async function remove(name: string, where: Where, { api, terminal }: CommandContext) {
  const id = z.uuid().safeParse(name).success ? name : await idOf(name, where, api);
  await api.call(`/v1/documents/${id}`, { method: 'DELETE', answer: z.undefined() });
  terminal.print(`Removed ${name}.`);
}

async function idOf(name: string, where: Where, api: ApiClient): Promise<string> {
  const found: Document[] = [];
  const near: string[] = [];
  for await (const document of allDocuments(api, where)) {
    if (document.name === name) found.push(document);
    else if (document.name.toLowerCase().includes(name.toLowerCase())) near.push(document.name);
  }
  const [only, ...others] = found;
  if (only && others.length === 0) return only.id;
  if (only)
    throw new CliError(
      `"${name}" stands in the collections ${found.map(({ collection }) => collection).join(', ')}. Say which one: --collection ${only.collection}`,
    );
  const hint = near.length > 0 ? `Did you mean ${near.slice(0, 5).join(', ')}?` : 'See `alfred documents list`.';
  throw new CliError(`There is no document named "${name}". ${hint}`);
}
