import type { Command } from 'commander';
import { z } from 'zod';
import { Ingestion, Placement } from '../../contract/documents.ts';
import { readableKinds } from '../../contract/readable-files.ts';
import { collectFiles, type CollectedFiles } from '../client/collect-files.ts';
import { readCallback, type CallbackOptions } from '../client/read-callback.ts';
import { followIngestion } from '../client/follow-events.ts';
import { followIngestions, refreshIngestions, sumCounts } from '../client/follow-ingestions.ts';
import { upload, type Upload } from '../client/upload.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { formatCount } from '../terminal/format.ts';
import { addCallback } from './callback.ts';
import { printUploads } from './upload-summary.ts';

/** Adds the commands that send files, and that follow what becomes of them. */
export function addUploads(documents: Command, context: CommandContext) {
  documents
    .command('add')
    .alias('create')
    .description(`add files or folders (${readableKinds}); the same file again changes nothing`)
    .argument('<path...>', 'files or folders')
    .option('-c, --collection <name>', 'where they go; a name is taken once in each', 'default')
    .option('-r, --reader <who...>', 'who may read them beside you: everyone, group:<name>, subject:<id>')
    .option('--private', 'only you may read them')
    .option('-t, --tag <tag...>', 'what a search can be narrowed by')
    .option('--prefix <name>', 'what their names begin with, instead of the name of their folder; "" for nothing')
    .option('--replace', 'take the place of documents of the same names that came from another folder or person')
    .option('--no-wait', 'end when the files are sent; they are read afterwards')
    .option('--callback <url>', 'tell this address when they were read; one call for each 100 files or 8 MB')
    .option('--callback-secret <file>', 'the file with the secret (whsec_…) that signs the call')
    .option('--json', 'as JSON')
    .action(async (paths: string[], options: AddOptions) => {
      process.exitCode = await add(paths, options, context);
    });
  documents
    .command('retry')
    .description('read the files of an upload that were not read; they are kept for a week')
    .argument('<ingestion>', 'as `alfred documents add` names it')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      process.exitCode = await retry(id, options, context);
    });
  documents
    .command('follow')
    .description('show file by file what becomes of an upload, until it has ended')
    .argument('<ingestion>', 'as `alfred documents add` names it')
    .option('--json', 'one JSON object a line')
    .action(async (id: string, options: { json?: boolean }) => {
      process.exitCode = await follow(id, options, context);
    });
  addCallback(documents, context, {
    path: (id) => `/v1/ingestions/${id}`,
    description: 'how far the webhook about the end of an upload is',
    argument: '<ingestion>',
  });
}

type AddOptions = CallbackOptions & {
  collection: string;
  reader?: string[];
  private?: boolean;
  tag?: string[];
  prefix?: string;
  replace?: boolean;
  wait: boolean;
  json?: boolean;
};

function placementOf({ collection, reader, private: isPrivate, tag, replace }: AddOptions): Placement {
  if (isPrivate && reader) throw usageError('Say --private or --reader, not both.');
  const readers = isPrivate ? [] : reader;
  const parsed = Placement.safeParse({
    collection,
    ...(readers && { readers }),
    ...(tag && { tags: tag }),
    ...(replace && { replace }),
  });
  if (!parsed.success) throw usageError(z.prettifyError(parsed.error));
  return parsed.data;
}

function prefixOf({ prefix }: AddOptions): { prefix?: string } {
  if (prefix === undefined) return {};
  const trimmed = prefix.replace(/\/+$/, '');
  if (trimmed !== '' && trimmed.split('/').some((part) => ['', '.', '..'].includes(part)))
    throw usageError(`--prefix ${prefix} is not a relative path like handbook or hr/handbook.`);
  return { prefix: trimmed };
}

async function add(paths: string[], options: AddOptions, context: CommandContext): Promise<number> {
  const { api, terminal } = context;
  const request = { placement: placementOf(options), callback: await readCallback(options) };
  const found = await collectFiles(paths, prefixOf(options));
  if (found.files.length === 0)
    throw usageError(
      `There is nothing to add in ${paths.join(', ')}${skippedPhrase(found)}. Alfred reads ${readableKinds}.`,
    );
  terminal.note(`Adding ${formatCount(found.files.length, 'file')}${skippedPhrase(found)} …`);
  const say = (line: string) => terminal.note(line, 'dim');
  const show = createProgress(found.files.length, context);
  const sent = await upload(
    api,
    { files: found.files, ...request },
    async (state) => {
      state.ingestions = await refreshIngestions(api, state.ingestions).catch(() => state.ingestions);
      show(state.ingestions, state.sent);
    },
    say,
  );
  if (!options.wait) return reportSent(sent, options, context);
  const ended = await followIngestions(api, sent.ingestions, (ingestions) => show(ingestions, sent.sent), say);
  return printUploads(ended, sent.refused, options, context);
}

/** Shows how far an upload is: on a terminal in place, else every two seconds. */
function createProgress(files: number, { terminal }: CommandContext) {
  let printedAt = Date.now();
  return (ingestions: Ingestion[], sent: number) => {
    const { pending, ...done } = sumCounts(ingestions);
    const finished = done.added + done.replaced + done.unchanged + done.failed;
    const line = `${finished} of ${files} done (${sent} sent, ${pending} waiting, ${done.failed} failed)`;
    if (terminal.isLiveStatus) terminal.status(line);
    else if (Date.now() - printedAt > 2_000) {
      printedAt = Date.now();
      terminal.note(line);
    }
  };
}

/** Reports files that are sent and not read yet. Standard output gets the ids of their uploads. */
function reportSent({ ingestions, refused }: Upload, { json }: AddOptions, { terminal }: CommandContext): number {
  terminal.clearStatus();
  if (json) terminal.printJson({ ingestions, refused });
  else for (const { id } of ingestions) terminal.print(id);
  for (const { name, message } of refused) terminal.note(`  ${name}: ${message}`);
  if (ingestions.length > 0) terminal.note('They are being read: alfred documents follow <id>', 'dim');
  return refused.length > 0 ? exitCodes.failed : exitCodes.ok;
}

async function retry(id: string, options: { json?: boolean }, context: CommandContext): Promise<number> {
  const { api, terminal } = context;
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
  return printUploads(ended, [], options, context);
}

async function follow(id: string, { json }: { json?: boolean }, context: CommandContext): Promise<number> {
  const { api, terminal } = context;
  for await (const event of followIngestion(api, id)) {
    if (json) terminal.print(JSON.stringify(event));
    else if (event.type === 'file.read') terminal.print(`${event.data.state.padEnd(9)}  ${event.data.name}`);
    else if (event.type === 'file.failed') terminal.print(`failed     ${event.data.error.message}`);
  }
  const ended = await api.call(`/v1/ingestions/${encodeURIComponent(id)}`, { answer: Ingestion });
  if (json) return ended.outcome === 'all' ? exitCodes.ok : exitCodes.failed;
  return printUploads([{ ...ended, failures: [] }], [], {}, context);
}

const skippedPhrase = ({ skipped: { unsupported, hidden } }: CollectedFiles) => {
  const parts = [
    unsupported > 0 && `${unsupported} of other kinds`,
    hidden > 0 && `${hidden} hidden or node_modules`,
  ].filter(Boolean);
  return parts.length > 0 ? ` (skipped: ${parts.join(', ')})` : '';
};
