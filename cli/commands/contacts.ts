import type { Command } from 'commander';
import { z } from 'zod';
import { Contact, ContactList } from '../../contract/contacts.ts';
import { exitCodes } from '../cli-error.ts';
import { sendContacts, waitForContacts } from '../client/send-contacts.ts';
import { watchContacts, type WatchedFile } from '../client/watch-contacts.ts';
import type { CommandContext } from '../command-context.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { table } from '../terminal/terminal.ts';
import { describeIngest, noteRejected } from './contact-lines.ts';
import { addContactMerges, addContactUploads } from './contact-uploads.ts';
import { addListOptions, noteMore, readPages, type ListOptions } from './list-options.ts';
import { wholeNumber } from './number-options.ts';

type AddOptions = { country?: string; idempotencyKey?: string; wait: boolean; json?: boolean };
type WatchOptions = { country?: string; every: number; once?: boolean; json?: boolean };

const countryOption = ['--country <code>', 'of phone numbers without a country code, like DE'] as const;

export function addContacts(program: Command, context: CommandContext) {
  const contacts = program.command('contacts').description('people outside of the company, from files and lists');
  addListOptions(
    contacts
      .command('list', { isDefault: true })
      .description('newest first')
      .option('-s, --search <words>', 'by beginnings of words: name, company, e-mail address, phone number'),
    { usual: 50 },
  ).action((options: ListOptions & { search?: string }) => list(options, context));
  contacts
    .command('show')
    .description('all that is known of a contact')
    .argument('<id>')
    .action(async (id: string) => context.terminal.printJson(await context.api.call(pathOf(id), { answer: Contact })));
  contacts
    .command('add')
    .alias('create')
    .description('add or update contacts from a file: .csv, .json, .jsonl or .vcf')
    .argument('<file>')
    .option(...countryOption)
    .option('--idempotency-key <key>', 'send it once: the same key and file show the same upload')
    .option('--no-wait', 'end when the file is sent; its lines become contacts afterwards')
    .option('--json', 'as JSON')
    .action(async (file: string, options: AddOptions) => {
      process.exitCode = await add(file, options, context);
    });
  contacts
    .command('watch')
    .description('send each file of contacts that comes into a folder, until Ctrl-C')
    .argument('<folder>', 'files go to done/ and failed/ in it')
    .option(...countryOption)
    .option('--every <seconds>', 'how often to look', wholeNumber({ from: 1, like: 5 }), 5)
    .option('--once', 'send what is there, and end')
    .option('--json', 'one JSON object a file')
    .action((folder: string, options: WatchOptions) => watch(folder, options, context));
  contacts
    .command('remove')
    .alias('delete')
    .description('delete a contact, with all that was merged into it')
    .argument('<id>')
    .action(async (id: string) => {
      await context.api.call(pathOf(id), { method: 'DELETE', answer: z.unknown() });
      context.terminal.note(`${id} is deleted. A CRM that has it keeps it: delete it there too.`);
    });
  addContactUploads(contacts, context);
  addContactMerges(contacts, context);
}

const pathOf = (id: string) => `/v1/contacts/${encodeURIComponent(id)}`;

async function list({ search, ...options }: ListOptions & { search?: string }, { api, terminal }: CommandContext) {
  const { items: contacts, nextCursor } = await readPages(options, {
    usual: 50,
    pageSize: 200,
    async read(query) {
      const answer = await api.call('/v1/contacts', { query: { ...query, q: search }, answer: ContactList });
      return { ...answer, items: answer.contacts };
    },
  });
  if (options.json) return terminal.printJson({ contacts, nextCursor });
  if (contacts.length === 0)
    return terminal.note(
      search === undefined ? 'There are no contacts yet: alfred contacts add <file>' : 'None found.',
    );
  const rows = contacts.map(({ id, name, emails, phones, company }) =>
    [id, name, emails[0], phones[0], company].map((cell) => cell ?? ''),
  );
  terminal.print(table([['ID', 'NAME', 'E-MAIL', 'PHONE', 'COMPANY'], ...rows]));
  noteMore({ nextCursor }, terminal);
}

async function add(file: string, { country, idempotencyKey, wait, json }: AddOptions, context: CommandContext) {
  const { api, terminal } = context;
  const sent = await sendContacts(api, file, { source: 'cli', country, key: idempotencyKey });
  const ingest = wait ? await waitForContacts(api, sent.id) : sent;
  if (json) terminal.printJson(ingest);
  else terminal.print(describeIngest(ingest));
  noteRejected(ingest, context);
  return wait && ingest.status !== 'completed' ? exitCodes.failed : exitCodes.ok;
}

async function watch(folder: string, { country, every, once = false, json }: WatchOptions, context: CommandContext) {
  const { api, terminal } = context;
  const stopping = new AbortController();
  const stopWatching = onInterrupt(
    () => stopping.abort(),
    () => process.exit(exitCodes.cancelled),
  );
  const onFile = (found: WatchedFile) => {
    if (json) terminal.print(JSON.stringify(found));
    else if ('error' in found) terminal.print(`${found.file} is refused: ${found.error}`);
    else terminal.print(`${found.file}: ${describeIngest(found.ingest)}`);
    if ('error' in found) process.exitCode = exitCodes.failed;
  };
  if (!once) terminal.note(`Watching ${folder}. Ctrl-C ends it.`, 'dim');
  try {
    await watchContacts(api, folder, {
      country,
      everyMs: every * 1_000,
      once,
      onFile,
      onOutage: (error) => terminal.note(`${error.message}\nIt is tried again.`, 'yellow'),
      signal: stopping.signal,
    });
  } finally {
    stopWatching();
  }
}
