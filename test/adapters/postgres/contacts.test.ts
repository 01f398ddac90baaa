import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { normaliseLine } from '../../../activities/contacts/normalise-contact.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../../support/environment/adapter-environment.ts';
import { scope, useContacts } from '../../support/contacts/stored-contacts.ts';

let env: AdapterEnvironment;
let use: ReturnType<typeof useContacts>;
beforeAll(async () => {
  env = await createAdapterEnvironment();
  use = useContacts(env.adapters);
});
afterAll(() => env?.close());
beforeEach(async () => {
  await env.postgres.pool.query('truncate contacts, contact_ingests, contact_merges cascade');
});
const count = async (table: string) =>
  (await env.postgres.pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)).rows[0]?.count;

test('the same e-mail address is one contact: what comes later counts where it says something, addresses are united', async () => {
  const ingest = await use.ingest(
    'name,email,phone,company,title,Segment\n' +
      'Ann Lee,ann@example.com,,Acme,Buyer,retail\n' +
      'Ann Lee-Smith,Ann@Example.com,+49 30 901820,,Head of Buying,\n' +
      'Ann Lee-Smith,ann@example.com,+4930901820,,,\n',
  );
  expect(ingest).toMatchObject({ status: 'completed', lines: 3, counts: { added: 1, merged: 1, unchanged: 1 } });
  expect(await use.everybody()).toEqual([
    {
      name: 'Ann Lee-Smith',
      firstName: null,
      lastName: null,
      emails: ['ann@example.com'],
      phones: ['+4930901820'],
      company: 'Acme',
      title: 'Head of Buying',
      country: null,
      custom: { Segment: 'retail' },
    },
  ]);
  expect(await use.merges(ingest.id)).toMatchObject([{ line: 3, reason: 'email', absorbedId: null, undoneAt: null }]);
});

test('a shared phone number joins those of one name, and a line without a name only when one person has it', async () => {
  await use.ingest(
    'name,email,phone\n' +
      'Ann Lee,ann@example.com,+49 30 901820\n' +
      'Bob Ray,bob@example.com,+49 30 901820\n' +
      '"LEE, ANN",ann@home.example,+49 30 901820\n' +
      ',,+49 30 901820\n',
  );
  expect((await use.everybody()).map(({ name, emails }) => [name, emails])).toEqual([
    ['Ann Lee', ['ann@example.com', 'ann@home.example']],
    ['Bob Ray', ['bob@example.com']],
    [null, []],
  ]);
  expect((await use.ingest('phone\n+49 30 901820\n')).counts).toMatchObject({ unchanged: 1 });
  await use.ingest('name,phone\nCy Orr,+49 30 901821\n');
  expect((await use.ingest('phone,title\n+49 30 901821,Buyer\n')).counts).toMatchObject({ merged: 1 });
});

test('one name at one company is one contact, however both are written, unless both have an e-mail address', async () => {
  const ingest = await use.ingest(
    'name,email,phone,company\n' +
      'Dr. José Núñez,jose@example.com,,ACME Inc.\n' +
      '"nunez, jose",,+49 30 901820,Acme\n' +
      'Jose M. Nunez,other@example.com,,"Acme, Inc"\n' +
      'Josefa Nunez,,+49 30 901821,Acme\n' +
      'José Núñez,,+49 30 901822,Globex\n',
  );
  expect(ingest.counts).toMatchObject({ added: 4, merged: 1 });
  expect((await use.merges(ingest.id)).map(({ line, reason }) => [line, reason])).toEqual([[3, 'name']]);
  expect((await use.everybody()).find(({ emails }) => emails.includes('jose@example.com'))?.phones).toEqual([
    '+4930901820',
  ]);
});

test('a number that more than fifty contacts have joins no one', async () => {
  const people = Array.from({ length: 60 }, (_, n) => `Person${n} Of Office,p${n}@example.com,+49 30 901820\n`);
  await use.ingest(`name,email,phone\n${people.join('')}`);
  await use.ingest('name,phone\nPerson59 Of Office,+49 30 901820\nPerson0 Of Office,+49 30 901820\n');
  expect(await count('contacts')).toBe(62);
});

test('a line that would bring its contact too much is rejected with the reason, and nothing is left out', async () => {
  const columns = (from: number) => Array.from({ length: 30 }, (_, n) => `c${from + n}`).join(',');
  const row = Array(30).fill('x').join(',');
  await use.ingest(`email,${columns(0)}\na@example.com,${row}\n`);
  const ingest = await use.ingest(`email,${columns(30)}\na@example.com,${row}\n`);
  expect(ingest.counts).toMatchObject({ rejected: 1, unchanged: 0 });
  expect(await env.adapters.contactIngests.listRejects(scope, ingest.id, -1, 10)).toMatchObject([
    { line: 2, reason: expect.stringContaining('more than 50 fields'), fields: { email: 'a@example.com', c30: 'x' } },
  ]);
  const emails = (from: number) => Array.from({ length: 11 }, (_, n) => `e${from + n}@example.com`).join(';');
  await use.ingest(`email\n${emails(0)}\n`);
  expect((await use.ingest(`email\ne0@example.com;${emails(11)}\n`)).counts).toMatchObject({ rejected: 1 });
});

test('a line that names two contacts makes one of them, and an undo brings the other back as it was', async () => {
  await use.ingest('name,email,Note\nAnn Lee,ann@example.com,first\nAnn Lee,ann@home.example,second\n');
  const before = await use.everybody();
  const ingest = await use.ingest('email,Email 2,title\nann@example.com,ann@home.example,Buyer\n');
  expect(await use.everybody()).toMatchObject([
    { emails: ['ann@example.com', 'ann@home.example'], title: 'Buyer', custom: { Note: 'second' } },
  ]);
  const [absorbed, line] = await use.merges(ingest.id);
  expect([absorbed, line]).toMatchObject([{ absorbedId: expect.any(String) }, { absorbedId: null }]);

  // In any order, and a repeat changes nothing.
  const { contacts } = env.adapters;
  expect(await contacts.undoMerge('local', absorbed!.id)).toMatchObject({ partedId: absorbed!.absorbedId });
  const undone = await contacts.undoMerge('local', line!.id);
  expect(await contacts.undoMerge('local', line!.id)).toEqual(undone);
  expect(await contacts.undoMerge('other', line!.id)).toBeUndefined();
  const after = await use.everybody();
  expect(after).toHaveLength(3);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(await contacts.get('local', undone!.partedId!)).toMatchObject({ title: 'Buyer', name: null });
});

test('what a person has parted is not merged again, and later lines find the one that fits', async () => {
  const csv = 'name,email\nAnn Lee,office@example.com\nBob Ray,office@example.com\n';
  const [merge] = await use.merges((await use.ingest(csv)).id);
  await env.adapters.contacts.undoMerge('local', merge!.id);
  const again = await use.ingest(`${csv}Bob Ray,office@example.com\n`);
  expect(again.counts).toMatchObject({ unchanged: 3, merged: 0, added: 0 });
  expect((await use.everybody()).map(({ name }) => name).sort()).toEqual(['Ann Lee', 'Bob Ray']);
});

test('a merge into a contact that has become part of another is undone after that one', async () => {
  await use.ingest('name,email\nAnn Lee,a@example.com\n');
  const inner = await use.ingest('name,email,title\nAnn Lee,b@example.com,\nAnn Lee,b@example.com,Buyer\n');
  const outer = await use.ingest('email,Email 2\na@example.com,b@example.com\n');
  const [[first], [taking]] = [await use.merges(inner.id), await use.merges(outer.id)];
  expect(taking).toMatchObject({ absorbedId: first!.contactId });
  const { contacts } = env.adapters;
  await expect(contacts.undoMerge('local', first!.id)).rejects.toMatchObject({
    code: 'contact_absorbed',
    message: expect.stringContaining(taking!.id),
  });
  await contacts.undoMerge('local', taking!.id);
  expect(await contacts.get('local', first!.contactId)).toMatchObject({ title: 'Buyer' });
  await contacts.undoMerge('local', first!.id);
  expect(await contacts.get('local', first!.contactId)).toMatchObject({ title: null, emails: ['b@example.com'] });
});

test('a delete also removes what was parted from others and became part of the contact', async () => {
  await use.ingest('name,email\nAnn Lee,a@example.com\n');
  const phone = '+49 30 901820';
  const parted = await use.ingest(`name,email,phone\nAnn Lee,,${phone}\nAnn Lee,p@example.com,${phone}\n`);
  const [merge] = await use.merges(parted.id);
  const { contacts } = env.adapters;
  const { partedId } = (await contacts.undoMerge('local', merge!.id))!;
  const [taking] = await use.merges((await use.ingest('email,Email 2\na@example.com,p@example.com\n')).id);
  expect(taking).toMatchObject({ absorbedId: partedId });
  expect(await contacts.delete('local', taking!.contactId)).toBe(true);
  expect([await count('contacts'), await count('contact_merges')]).toEqual([1, 0]);
});

test('a delete removes a contact with all that was merged into it and parted from it', async () => {
  const ingest = await use.ingest('name,email\nAnn Lee,a@example.com\nAnn Lee,b@example.com\n');
  const joined = await use.ingest('email,Email 2\na@example.com,b@example.com\nb@example.com,c@example.com\n');
  const merges = await use.merges(joined.id);
  await env.adapters.contacts.undoMerge('local', merges.at(-1)!.id);
  const { contacts } = env.adapters;
  for (const { id } of (await contacts.list('local', { limit: 10 })).contacts) {
    expect(await contacts.delete('other', id)).toBe(false);
    expect(await contacts.delete('local', id)).toBe(true);
    expect(await contacts.delete('local', id)).toBe(false);
  }
  expect([await count('contacts'), await count('contact_keys'), await count('contact_merges')]).toEqual([0, 0, 0]);
  expect(await env.adapters.contactIngests.get(scope, ingest.id)).toMatchObject({ status: 'completed' });
});

test('two uploads of the same people at once make each of them once, as one after the other does', async () => {
  const people = Array.from({ length: 1_500 }, (_, n) => `Person ${n},p${n}@example.com,+49 30 9018${1_000 + n}`);
  const [a, b] = [people.join('\n'), people.toReversed().join('\n')];
  const uploads = await Promise.all([a, b].map((lines) => use.receive(`name,email,phone\n${lines}\n`)));
  const ended = await Promise.all(uploads.map(({ ingest }) => use.storeRest(ingest.id)));
  const sum = (of: 'added' | 'unchanged') => ended.reduce((total, { counts }) => total + counts[of], 0);
  expect([sum('added'), sum('unchanged')]).toEqual([1_500, 1_500]);
  expect(await count('contacts')).toBe(1_500);
});

test('a batch is stored once, however often it is attempted at once, and counts are those of the lines', async () => {
  const lines = Array.from({ length: 2_500 }, (_, n) =>
    n % 20 === 7 ? `x${n},nobody` : `P ${n},p${n % 2_000}@example.com`,
  );
  const { ingest } = await use.receive(`name,email\n${lines.join('\n')}\n`);
  expect(ingest).toMatchObject({ status: 'running', lines: 2_500, counts: { pending: 2_500 } });
  const store = () => env.adapters.contactIngests.storeBatch(use.refOf(ingest.id), normaliseLine);
  const stored = await Promise.all([store(), store(), store(), store(), store()]);
  expect(stored.filter((batch) => batch !== undefined)).toHaveLength(3);
  const ended = await use.storeRest(ingest.id);
  expect(ended.counts).toEqual({ pending: 0, added: 1_900, merged: 475, unchanged: 0, rejected: 125 });
  expect([await count('contacts'), await count('contact_rejects')]).toEqual([1_900, 125]);
});

test('an upload repeated with its key is the one before, another with that key is refused, and one that breaks off leaves nothing', async () => {
  const first = await use.receive('email\na@example.com\n', { key: 'fair-1' });
  const again = await use.receive('email\na@example.com\n', { key: 'fair-1' });
  expect([again.ingest.id, again.isNew]).toEqual([first.ingest.id, false]);
  await expect(use.receive('email\nb@example.com\n', { key: 'fair-1' })).rejects.toMatchObject({
    code: 'idempotency_key_reused',
  });
  const other = await use.receive('email\nb@example.com\n', { key: 'fair-1', by: { tenant: 'local', subject: 'bob' } });
  expect(other.isNew).toBe(true);
  await expect(use.receive('email\n')).rejects.toThrow('has no contact');
  await expect(use.receive(`email\n${'a@example.com\n'.repeat(100_001)}`)).rejects.toThrow('more than 100000 contacts');
  expect([await count('contact_ingests'), await count('contact_ingest_batches')]).toEqual([2, 2]);
  expect(await env.adapters.contactIngests.get({ tenant: 'other', subject: 'ann' }, first.ingest.id)).toBeUndefined();
});

test('a cancelled upload keeps what it has stored, and a delete of it leaves its contacts', async () => {
  const lines = Array.from({ length: 1_500 }, (_, n) => `p${n}@example.com`);
  const { ingest } = await use.receive(`email\n${lines.join('\n')}\nnobody\n`);
  const { contactIngests } = env.adapters;
  await contactIngests.storeBatch(use.refOf(ingest.id), normaliseLine);
  await expect(contactIngests.delete(scope, ingest.id)).rejects.toMatchObject({ code: 'contact_ingest_running' });
  expect(await contactIngests.end(use.refOf(ingest.id), 'cancelled')).toBe(true);
  expect(await contactIngests.end(use.refOf(ingest.id), 'completed')).toBe(false);
  expect(await contactIngests.storeBatch(use.refOf(ingest.id), normaliseLine)).toBeUndefined();
  expect(await contactIngests.get(scope, ingest.id)).toMatchObject({
    status: 'cancelled',
    counts: { added: 1_000, pending: 501 },
  });
  expect(await contactIngests.delete({ tenant: 'local', subject: 'bob' }, ingest.id)).toBe(false);
  expect(await contactIngests.delete(scope, ingest.id)).toBe(true);
  expect([await count('contacts'), await count('contact_ingest_batches')]).toEqual([1_000, 0]);
});

test('a search finds by beginnings of words and by phone numbers, in the own tenant', async () => {
  await use.ingest(
    'name,email,phone,company\n' +
      "José O'Neil,jose@example.com,+49 30 901820,Acme GmbH\n" +
      'Ann Lee,ann.lee@northwind.example,,Northwind\n',
  );
  const names = async (q: string, tenant = 'local') =>
    (await env.adapters.contacts.list(tenant, { limit: 10, q })).contacts.map(({ name }) => name);
  expect(await names('jose acm')).toEqual(["José O'Neil"]);
  expect(await names('oneil')).toEqual(["José O'Neil"]);
  expect(await names('ANN.LEE@north')).toEqual(['Ann Lee']);
  expect(await names('+49 30 9018')).toEqual(["José O'Neil"]);
  expect(await names('030 901820')).toEqual(["José O'Neil"]);
  expect(await names('lee acme')).toEqual([]);
  expect(await names("' & | ! :*")).toEqual([]);
  expect(await names('ann', 'other')).toEqual([]);
});

test('lines with characters that Postgres cannot hold are rejected and kept without them', async () => {
  const ingest = await use.ingest('{"email":"a@example.com","name":"a\\u0000b"}\n{"email":"\\ud800@x"}\n', {
    format: 'jsonl',
  });
  expect(ingest.counts.rejected).toBe(2);
  expect(await env.adapters.contactIngests.listRejects(scope, ingest.id, 0, 10)).toEqual([
    { line: 1, reason: 'has characters that no text can have', fields: { email: 'a@example.com', name: 'a\ufffdb' } },
    { line: 2, reason: 'has characters that no text can have', fields: { email: '\ufffd@x' } },
  ]);
});

test('uploads that broke off and old rejected lines are removed', async () => {
  const { ingest } = await use.receive('email\nnobody\n');
  await use.storeRest(ingest.id);
  await env.postgres.pool.query(`update contact_rejects set created_at = now() - interval '31 days'`);
  await env.postgres.pool.query(
    `insert into contact_ingests (id, tenant, subject, source, format, status, created_at)
     values (gen_random_uuid(), 'local', 'ann', 'api', 'csv', 'receiving', now() - interval '2 hours'),
       (gen_random_uuid(), 'local', 'ann', 'api', 'csv', 'receiving', now())`,
  );
  expect(await env.adapters.contactIngests.removeExpired(10)).toBe(2);
  expect([await count('contact_rejects'), await count('contact_ingests')]).toEqual([0, 2]);
});

test('contacts for the CRM: each once by its first e-mail address, those without one are left out', async () => {
  await use.ingest('name,email,phone\nAnn,office@example.com,\nBob,office@example.com,\nCy,,+49 30 901820\n');
  const { contacts } = env.adapters;
  const [merge] = (await contacts.listMerges('local', { limit: 1 })).merges;
  await contacts.undoMerge('local', merge!.id);
  const due = await contacts.listDue('local', 10);
  expect(due.map(({ body, blocked }) => [body.name, blocked])).toEqual([
    ['Ann', undefined],
    ['Cy', 'It has no e-mail address.'],
    ['Bob', 'An older contact has the same first e-mail address.'],
  ]);
  const [ann, cy, bob] = due;
  await contacts.recordAnswers('local', [
    { id: ann!.id, revision: ann!.revision, crmId: '1' },
    { id: cy!.id, revision: cy!.revision, error: cy!.blocked! },
    { id: bob!.id, revision: bob!.revision - 1, error: 'of a revision before' },
  ]);
  expect((await contacts.listDue('local', 10)).map(({ id }) => id)).toEqual([bob!.id]);
  expect(await contacts.get('local', ann!.id)).toMatchObject({ crm: { id: '1', pending: false, error: null } });
  await contacts.recordAnswers('local', [{ id: bob!.id, revision: bob!.revision, error: bob!.blocked! }]);
  expect(await contacts.listTenantsDue(0)).toEqual([]);
  // The one behind it takes its place.
  await contacts.delete('local', ann!.id);
  expect((await contacts.listDue('local', 10)).map(({ body, blocked }) => [body.name, blocked])).toEqual([
    ['Bob', undefined],
  ]);
  expect(await contacts.listTenantsDue(0)).toEqual(['local']);
});
