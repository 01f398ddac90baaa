import { Option, type Command } from 'commander';
import { z } from 'zod';
import { ContactIngest, ContactIngestList, ContactMerge, ContactMergeList } from '../../contract/contacts.ts';
import { readRejected } from '../client/send-contacts.ts';
import type { CommandContext } from '../command-context.ts';
import { formatSecond } from '../terminal/format.ts';
import { table } from '../terminal/terminal.ts';
import { describeIngest, noteRejected } from './contact-lines.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';

type Json = { json?: boolean };

const pathOf = (id: string) => `/v1/contact-ingests/${encodeURIComponent(id)}`;

/** Adds `contacts uploads`. */
export function addContactUploads(contacts: Command, context: CommandContext) {
  const { api, terminal } = context;
  const uploads = contacts.command('uploads').description('your uploads of contacts, and what was rejected of them');
  addListOptions(uploads.command('list', { isDefault: true }).description('newest first'), { usual: 20 }).action(
    (options: ListOptions) => listUploads(options, context),
  );
  const print = (ingest: ContactIngest, { json }: Json) => {
    if (json) return terminal.printJson(ingest);
    terminal.print(describeIngest(ingest));
    noteRejected(ingest, context);
  };
  uploads
    .command('show')
    .description('how far an upload is')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, options: Json) => print(await api.call(pathOf(id), { answer: ContactIngest }), options));
  uploads
    .command('rejected')
    .description('the lines that were rejected, with the reason, to be corrected and added again')
    .argument('<id>')
    .addOption(new Option('--format <format>', 'default: csv for CSV and vCards, else jsonl').choices(['csv', 'jsonl']))
    .action(async (id: string, { format }: { format?: 'csv' | 'jsonl' }) => {
      const { bytes } = await readRejected(api, { id }, format);
      terminal.write(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    });
  uploads
    .command('cancel')
    .description('stop an upload; what it has stored stays')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, options: Json) =>
      print(await api.call(`${pathOf(id)}/cancel`, { method: 'POST', answer: ContactIngest }), options),
    );
  uploads
    .command('remove')
    .alias('delete')
    .description('delete an upload with its rejected lines; its contacts stay')
    .argument('<id>')
    .action(async (id: string) => {
      await api.call(pathOf(id), { method: 'DELETE', answer: z.unknown() });
      terminal.note(`${id} is deleted.`);
    });
}

async function listUploads(options: ListOptions, { api, terminal }: CommandContext) {
  const { items: ingests, nextCursor } = await readPages(options, {
    usual: 20,
    pageSize: 200,
    async read(query) {
      const answer = await api.call('/v1/contact-ingests', { query, answer: ContactIngestList });
      return { ...answer, items: answer.ingests };
    },
  });
  if (options.json) return terminal.printJson({ ingests, nextCursor });
  if (ingests.length === 0) return terminal.note('You have sent no contacts yet: alfred contacts add <file>');
  const rows = ingests.map(({ id, createdAt, name, format, status, lines, counts }) => [
    id,
    formatSecond(createdAt),
    name ?? format,
    status,
    ...[lines, counts.added, counts.merged, counts.rejected].map(String),
  ]);
  terminal.print(table([['ID', 'SENT', 'NAME', 'STATUS', 'LINES', 'ADDED', 'MERGED', 'REJECTED'], ...rows]));
  noteMore({ nextCursor }, terminal);
}

type MergeListOptions = ListOptions & { contact?: string; upload?: string };

/** Adds `contacts merges`. */
export function addContactMerges(contacts: Command, context: CommandContext) {
  const merges = contacts.command('merges').description('what was merged into contacts');
  addListOptions(
    merges
      .command('list', { isDefault: true })
      .description('newest first')
      .option('--contact <id>', 'into this contact')
      .option('--upload <id>', 'by this upload'),
    { usual: 50 },
  ).action((options: MergeListOptions) => listMerges(options, context));
  merges
    .command('undo')
    .description('take back a merge: what came by it is a contact of its own, for good')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: Json) => {
      const path = `/v1/contact-merges/${encodeURIComponent(id)}/undo`;
      const merge = await context.api.call(path, { method: 'POST', answer: ContactMerge });
      if (json) return context.terminal.printJson(merge);
      context.terminal.print(`${merge.partedId ?? ''} is a contact of its own again.`);
    });
}

async function listMerges({ contact, upload, ...options }: MergeListOptions, { api, terminal }: CommandContext) {
  const { items: merges, nextCursor } = await readPages(options, {
    usual: 50,
    pageSize: 200,
    async read(query) {
      const filters = { contactId: contact, ingestId: upload };
      const answer = await api.call('/v1/contact-merges', {
        query: { ...query, ...filters },
        answer: ContactMergeList,
      });
      return { ...answer, items: answer.merges };
    },
  });
  if (options.json) return terminal.printJson({ merges, nextCursor });
  if (merges.length === 0) return terminal.note('Nothing was merged.');
  const rows = merges.map(({ id, contactId, line, reason, incoming, undoneAt }) => [
    id,
    contactId,
    String(line),
    reason,
    [incoming.name, incoming.emails[0] ?? incoming.phones[0]].filter((part) => part).join(' '),
    undoneAt === null ? '' : 'undone',
  ]);
  terminal.print(table([['ID', 'INTO', 'LINE', 'SAME', 'WHAT', ''], ...rows]));
  noteMore({ nextCursor }, terminal);
}
