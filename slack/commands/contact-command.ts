import type { Audit, ContactIngests, Contacts, Control, Tenants } from '../../contract/ports/index.ts';
import type { Contact, ContactIngest } from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import { columnProblem } from '../../contract/rules/contacts/contact-fields.ts';
import { decideAtDoor, neededRoles, type Action } from '../../contract/rules/policy.ts';
import type { Config } from '../../runtime/config.ts';
import { createRecord } from '../acting/person.ts';
import { oneLine } from '../rendering/cut.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { code, linesMessage } from './lines-message.ts';
import type { CommandSender } from './task-commands.ts';

const mostFound = 5;
const mostUploads = 5;

type Deps = {
  config: Pick<Config, 'ALFRED_CONTACTS_COUNTRY'>;
  contacts: Pick<Contacts, 'list'>;
  contactIngests: Pick<ContactIngests, 'list'>;
  control: { contacts: Pick<Control['contacts'], 'checkTemporal' | 'ingest'> };
  tenants: Pick<Tenants, 'requireActive'>;
  audit: Pick<Audit, 'check' | 'note' | 'record'>;
};

/** Whether a command brings contacts. */
export const addsContacts = (rest: string) => /^add(\s|$)/i.test(rest);

/** Finds contacts; with `add` brings those that stand behind it, without words lists uploads. */
export const createContactCommand =
  (deps: Deps) =>
  async (sender: CommandSender & { key: string }, rest: string): Promise<SlackMessage> => {
    const { tenant, subject } = sender.principal;
    const adds = addsContacts(rest);
    const refusal = refusalOf(sender, adds ? 'create' : 'read');
    if (refusal) return refusal;
    if (adds) return add(deps, sender, rest.slice('add'.length).trim());
    if (rest === '') return uploadsMessage(await deps.contactIngests.list({ tenant, subject }, { limit: mostUploads }));
    return foundMessage(await deps.contacts.list(tenant, { q: rest.slice(0, 200), limit: mostFound }));
  };

function refusalOf({ principal }: CommandSender, action: Action): SlackMessage | undefined {
  if (decideAtDoor(principal, action, 'contact').allowed) return undefined;
  return linesMessage(`That needs ${neededRoles(action, 'contact')}.`, []);
}

async function add(
  { config, control, tenants, audit }: Deps,
  { principal, key }: CommandSender & { key: string },
  text: string,
): Promise<SlackMessage> {
  if (text === '') return linesMessage('Write the contacts behind `add`, one a line:', examples);
  audit.check();
  await tenants.requireActive(principal.tenant);
  await control.contacts.checkTemporal();
  let ingest: ContactIngest;
  try {
    ingest = await control.contacts.ingest(
      principal,
      {
        ...(isTable(text) ? { format: 'csv', charset: 'utf-8' } : { format: 'jsonl', charset: 'utf-8' }),
        source: 'slack',
        name: 'Slack',
        country: config.ALFRED_CONTACTS_COUNTRY,
        // A repeat of this command is no other upload.
        idempotencyKey: key === '' ? undefined : `slack ${key}`,
      },
      once(isTable(text) ? text : text.split('\n').map(lineOf).join('\n')),
    );
  } catch (error) {
    if (!(error instanceof AlfredError) || error.code !== 'invalid_request') throw error;
    return linesMessage(escapeMrkdwn(`I cannot read that: ${error.message}`), examples);
  }
  await createRecord({ audit }, 'ingestContacts', ingest.id).done(principal);
  return linesMessage(
    `I took ${ingest.lines === 1 ? 'one line' : `${ingest.lines} lines`}.`,
    [],
    [
      `${code('/alfred contacts')} shows what became of it, ${code(`alfred contacts uploads rejected ${ingest.id}`)} what was rejected.`,
    ],
  );
}

const examples = [
  '`/alfred contacts add Ann Lee <ann@example.com>, +49 30 901820, Northwind`',
  'Several lines at once, or rows of a table whose first line names the columns: `name,email,phone,company`.',
];

/** Whether the first of several lines names columns. */
function isTable(text: string): boolean {
  const [first = '', second] = text.split('\n');
  return (
    second !== undefined &&
    columnProblem(
      first.split(/[,;\t]/).map((name) => name.trim()),
      Infinity,
    ) === undefined
  );
}

/** A line as people write it: a name, an e-mail address, a phone number and a company, as far as they are there. */
function lineOf(line: string): string {
  if (line.trim() === '') return '';
  const email = /[^\s<>,;"]+@[^\s<>,;"]+/.exec(line)?.[0];
  const rest = email === undefined ? line : line.replace(email, ',');
  const phone = /\+?\(?\d[\d\s()/.-]{4,}\d/.exec(rest)?.[0];
  const [name, company] = (phone === undefined ? rest : rest.replace(phone, ','))
    .replaceAll(/[<>"]/g, '')
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return JSON.stringify({ name, email, phone, company });
}

async function* once(text: string) {
  yield Buffer.from(text);
}

function uploadsMessage({ ingests }: { ingests: ContactIngest[] }): SlackMessage {
  const hint = `${code('/alfred contacts <words>')} finds contacts, ${code('/alfred contacts add …')} brings some.`;
  if (ingests.length === 0) return linesMessage('You have sent no contacts yet.', [], [hint]);
  const lines = ingests.map(({ id, name, format, status, lines: count, counts }) => {
    const { added, merged, unchanged, rejected } = counts;
    return `• ${escapeMrkdwn(oneLine(name ?? format, 60))}, ${status}: ${count} lines, ${added} added, ${merged} merged, ${unchanged} unchanged, ${rejected} rejected (${code(id)})`;
  });
  return linesMessage('*Your newest uploads of contacts*', lines, [hint]);
}

function foundMessage({ contacts, nextCursor }: { contacts: Contact[]; nextCursor: string | null }): SlackMessage {
  if (contacts.length === 0) return linesMessage('There is no such contact.', []);
  const lines = contacts.map(({ name, emails, phones, company, title }) => {
    const parts = [name, title, company, emails[0], phones[0]].filter((part) => part !== null && part !== undefined);
    return `• ${escapeMrkdwn(oneLine(parts.join(', '), 200))}`;
  });
  return linesMessage('*Contacts*', lines, nextCursor === null ? [] : ['There are more: write further words.']);
}
