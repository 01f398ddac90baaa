import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { Placement } from '../../contract/documents.ts';
import { Source, SourceChange, SourceList, type SourceKind } from '../../contract/sources.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { followSource } from '../client/follow-source.ts';
import { formatCount, formatMinute } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { untilAnswered } from '../client/until-answered.ts';
import { addListOptions, noteMore, ofOption, readPages, type ListOptions, type OfOption } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type AddOptions = {
  collection: string;
  reader?: string[];
  private?: boolean;
  tag?: string[];
  every?: number;
  sitemap?: boolean;
  git?: boolean;
  branch?: string;
  folder?: string;
} & FollowOptions;
type FollowOptions = { detach?: boolean; json?: boolean };
type RemoveOptions = { keepDocuments?: boolean; json?: boolean };

type SetOptions = {
  every?: number | false;
  collection?: string;
  reader?: string[];
  private?: boolean;
  tag?: string[] | false;
  json?: boolean;
};

export function addSources(program: Command, context: CommandContext) {
  const sources = program.command('sources').description('where documents come from by themselves');
  sources
    .command('add')
    .alias('create')
    .description(
      'read a web page, a sitemap with all its pages, a prefix of a bucket or a Git repository, and follow how far it is',
    )
    .argument(
      '<address>',
      'like https://www.example.com/sitemap.xml, s3://company-files/handbook/ or https://git.example.com/team/handbook.git',
    )
    .option(
      '--every <seconds>',
      'read it again every so many seconds, at least 60',
      wholeNumber({ from: 1, like: 86_400 }),
    )
    .option('--sitemap', 'the address is a sitemap although it does not end in .xml or .xml.gz')
    .option('--git', 'the address is a Git repository although it does not end in .git')
    .option('--branch <name>', 'of a Git repository; default: its own default')
    .option('--folder <path>', 'of a Git repository: only what stands below it')
    .option('-c, --collection <name>', 'where its documents go', 'default')
    .option('-r, --reader <who...>', 'who may read them beside you: everyone, group:<name>, subject:<id>')
    .option('--private', 'only you may read them')
    .option('-t, --tag <tag...>', 'what a search can be narrowed by')
    .option('--detach', 'do not wait for the sync')
    .option('--json', 'as JSON')
    .action(async (address: string, options: AddOptions) => {
      process.exitCode = await add(address, options, context);
    });
  addListOptions(sources.command('list', { isDefault: true }).description('newest first'), { usual: 100 })
    .addOption(ofOption('own', 'tenant'))
    .action((options: ListOptions & OfOption) => list(options, context));
  sources
    .command('show')
    .description('one source: how its last sync stands, and what could not be read')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => show(id, options, context));
  sources
    .command('sync')
    .description('read it again now, and follow how far it is')
    .argument('<id>')
    .option('--detach', 'do not wait for the end')
    .option('--json', 'as JSON')
    .action(async (id: string, options: FollowOptions) => {
      const source = await context.api.call(`${path(id)}/sync`, { method: 'POST', answer: Source });
      process.exitCode = await follow(source, options, context);
    });
  sources
    .command('set')
    .description('change when it is read, and where its documents go; what is left out stays')
    .argument('<id>')
    .option(
      '--every <seconds>',
      'read it again every so many seconds, at least 60',
      wholeNumber({ from: 1, like: 86_400 }),
    )
    .option('--no-every', 'read it only on request')
    .option('-c, --collection <name>', 'its documents move there')
    .option('-r, --reader <who...>', 'who may read them beside you, at once: everyone, group:<name>, subject:<id>')
    .option('--private', 'only you may read them, at once')
    .option('-t, --tag <tag...>', 'what a search can be narrowed by')
    .option('--no-tag', 'no tags')
    .option('--json', 'as JSON')
    .action((id: string, options: SetOptions) => set(id, options, context));
  sources
    .command('remove')
    .alias('delete')
    .description('remove a source, and the documents that it brought')
    .argument('<id>')
    .option('--keep-documents', 'the documents stay')
    .option('--json', 'as JSON')
    .action((id: string, options: RemoveOptions) => remove(id, options, context));
}

const path = (id: string) => `/v1/sources/${encodeURIComponent(id)}`;

async function add(address: string, options: AddOptions, context: CommandContext): Promise<number> {
  const { collection, reader, private: isPrivate, tag: tags, every: everyS, sitemap, branch, folder } = options;
  if (isPrivate && reader) throw usageError('Say --private or --reader, not both.');
  const readers = isPrivate ? [] : reader;
  const placement = Placement.safeParse({ collection, ...(readers && { readers }), ...(tags && { tags }) });
  if (!placement.success) throw usageError(z.prettifyError(placement.error));
  const json = {
    kind: kindOf(address, options),
    address,
    everyS,
    ...placement.data,
    options: { sitemap, branch, folder },
  };
  const headers = { 'idempotency-key': randomUUID() };
  const source = await untilAnswered(
    () => context.api.call('/v1/sources', { method: 'POST', headers, json, answer: Source }),
    { notify: (line) => context.terminal.note(line, 'dim') },
  );
  if (!options.json) context.terminal.print(source.id);
  return follow(source, options, context);
}

async function set(id: string, options: SetOptions, context: CommandContext) {
  const { every, collection, reader, private: isPrivate, tag } = options;
  if (isPrivate && reader) throw usageError('Say --private or --reader, not both.');
  const change = SourceChange.safeParse({
    everyS: every === false ? null : every,
    collection,
    readers: isPrivate ? [] : reader,
    tags: tag === false ? [] : tag,
  });
  if (!change.success) throw usageError(z.prettifyError(change.error));
  const source = await context.api.call(path(id), { method: 'PATCH', json: change.data, answer: Source });
  if (options.json) return context.terminal.printJson(source);
  print(source, context);
  if ([collection, change.data.readers, tag].some((value) => value !== undefined))
    context.terminal.note('Its documents follow at once, or with the next sync where a name is taken.', 'dim');
}

function kindOf(address: string, { git, branch, folder }: AddOptions): SourceKind {
  if (address.startsWith('s3://')) return 's3';
  return git || (branch ?? folder) !== undefined || /\.git\/?$/.test(address) ? 'git' : 'web';
}

async function follow(
  source: Source,
  { detach, json }: FollowOptions,
  { api, terminal }: CommandContext,
): Promise<number> {
  if (detach) {
    if (json) terminal.printJson(source);
    return exitCodes.ok;
  }
  const ended = await followSource(api, source, terminal);
  const { state, counts, error } = ended.sync;
  const { added, replaced, unchanged, removed, failed } = counts;
  if (json) terminal.printJson(ended);
  else
    terminal.print(
      `${added} added, ${replaced} replaced, ${unchanged} unchanged, ${removed} removed, ${failed} failed`,
    );
  for (const line of failuresOf(ended)) terminal.note(line);
  if (error) terminal.note(error.message);
  if (state !== 'completed') terminal.note(`The sync ended as ${state}; see ${ended.links.temporal}`);
  return state === 'completed' && failed === 0 ? exitCodes.ok : exitCodes.failed;
}

function failuresOf({ failures, sync: { counts } }: Source): string[] {
  const more = counts.failed - failures.length;
  return [
    ...failures.map(({ name, error }) => `  ${error.message.startsWith(name) ? '' : `${name}: `}${error.message}`),
    ...(more > 0 ? [`  and ${formatCount(more, 'more item')}`] : []),
  ];
}

async function list({ of, ...options }: ListOptions & OfOption, { api, terminal }: CommandContext) {
  const { items: sources, nextCursor } = await readPages(options, {
    usual: 100,
    pageSize: 100,
    async read(query) {
      const answer = await api.call('/v1/sources', { query: { of, ...query }, answer: SourceList });
      return { ...answer, items: answer.sources };
    },
  });
  if (options.json) return terminal.printJson({ sources, nextCursor });
  if (sources.length === 0)
    return terminal.note('No sources. Add one: alfred sources add https://www.example.com/sitemap.xml --every 86400');
  terminal.print(table([['ID', 'ADDRESS', 'AGAIN', 'LAST SYNC', 'ITEMS'], ...sources.map(rowOf)]));
  noteMore({ nextCursor }, terminal);
}

const rowOf = ({ id, owner, address, everyS, sync: { state, endedAt, counts } }: Source) => [
  id,
  owner === undefined ? address : `of ${owner}`,
  everyS === null ? '' : `every ${everyS} s`,
  endedAt === null || state === 'queued' || state === 'running' ? state : `${state} ${formatMinute(endedAt)}`,
  String(counts.added + counts.replaced + counts.unchanged),
];

async function show(id: string, { json }: { json?: boolean }, { api, terminal }: CommandContext) {
  const source = await api.call(path(id), { answer: Source });
  if (json) return terminal.printJson(source);
  print(source, { terminal });
}

function print(source: Source, { terminal }: Pick<CommandContext, 'terminal'>) {
  const { address, collection, readers, tags, everyS, sync, links } = source;
  const counts = Object.entries(sync.counts).filter(([, items]) => items > 0);
  terminal.print(
    table([
      ['source', source.id],
      ['address', address],
      ['collection', collection],
      ...(readers ? [['readers', readers.join(', ') || 'only you']] : []),
      ...(tags ? [['tags', tags.join(', ')]] : []),
      ['again', everyS === null ? 'on request' : `every ${everyS} s`],
      ['sync', sync.state],
      ...(sync.endedAt === null ? [] : [['ended', formatMinute(sync.endedAt)]]),
      ['items', counts.map(([state, items]) => `${items} ${state}`).join(', ') || 'none'],
      ['temporal', links.temporal],
    ]),
  );
  if (sync.error) terminal.print(`\n${sync.error.message} (${sync.error.code})`);
  const failures = failuresOf(source);
  if (failures.length > 0) terminal.print(`\nNot read:\n${failures.join('\n')}`);
}

async function remove(id: string, { keepDocuments, json }: RemoveOptions, { api, terminal }: CommandContext) {
  const query = { documents: keepDocuments ? 'keep' : 'remove' };
  await api.call(path(id), { method: 'DELETE', query, answer: z.undefined() });
  if (json) return terminal.printJson({ id, deleted: true, documents: query.documents });
  terminal.print(
    keepDocuments
      ? 'The source is removed; its documents stay.'
      : 'The source is removed; its documents follow in the background.',
  );
}
