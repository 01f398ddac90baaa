import { expect, jest, test } from '@jest/globals';
import type { ContactFormat, ContactLine } from '../../contract/contacts.ts';
import { modernCard } from '../../parsing/contacts/modern-card.ts';
import { readContacts } from '../../parsing/contacts/read-contacts.ts';

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Reads bytes in pieces of a size. @returns columns and lines */
async function read(bytes: Uint8Array | string, format: ContactFormat = 'csv', { size = 7, charset = '' } = {}) {
  const items = readContacts(inPieces(Buffer.from(bytes as string), size), { format, charset: charset || undefined });
  const lines: ContactLine[] = [];
  let columns: string[] | undefined;
  for await (const item of items) {
    if ('columns' in item) columns = item.columns;
    else lines.push(item);
  }
  return { columns, lines };
}
const fields = async (...args: Parameters<typeof read>) => (await read(...args)).lines.map((line) => line.fields);

const text = 'name,email\r\nJosé Núñez,jose@example.com\r\n';
const encoded: [string, Uint8Array][] = [
  ['UTF-8', Buffer.from(text)],
  ['UTF-8 with a mark', Buffer.from(`\uFEFF${text}`)],
  ['UTF-16 LE with a mark', Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16 BE with a mark', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ['UTF-16 without a mark', Buffer.from(text, 'utf16le')],
  ['Windows-1252', Buffer.from(text, 'latin1')],
];
test.each(encoded)('a CSV in %s is read, however its bytes arrive', async (_, bytes) => {
  for (const size of [1, 2, 3, 13, 16, 1_000])
    expect(await fields(bytes, 'csv', { size })).toEqual([{ name: 'José Núñez', email: 'jose@example.com' }]);
});

test('the encoding that the sender names counts, and bytes that are none of it are refused', async () => {
  expect(await fields(Buffer.from(text, 'latin1'), 'csv', { charset: 'iso-8859-1' })).toEqual([
    { name: 'José Núñez', email: 'jose@example.com' },
  ]);
  await expect(read(text, 'csv', { charset: 'klingon' })).rejects.toThrow('"klingon", which is not known');
  const mixed = Buffer.concat([Buffer.from(text), Buffer.from('Zoë,z@example.com\n', 'latin1')]);
  await expect(read(mixed)).rejects.toThrow('is not UTF-8 throughout');
});

test('quotation marks hold separators and line breaks, and lines are counted as an editor counts them', async () => {
  const csv = 'sep=;\nName;E-Mail;Note\n"Lee; Ann";ann@example.com;"two\nlines"\n\nBob;bob@example.com\n';
  expect(await read(csv)).toEqual({
    columns: ['Name', 'E-Mail', 'Note'],
    lines: [
      { line: 3, fields: { Name: 'Lee; Ann', 'E-Mail': 'ann@example.com', Note: 'two\nlines' } },
      { line: 6, fields: { Name: 'Bob', 'E-Mail': 'bob@example.com' } },
    ],
  });
  const { lines } = await read(
    'email,note\r\na@example.com,"1\r\n2\r\n3"\r\nb@example.com,"1\n2"\r\nc@example.com,\r\n',
  );
  expect(lines.map(({ line }) => line)).toEqual([2, 5, 7]);
  expect((await read('name\temail\nAnn\ta@example.com\n')).lines[0]?.fields).toEqual({
    name: 'Ann',
    email: 'a@example.com',
  });
});

test('a header that cannot be used is refused with what is wrong', async () => {
  await expect(read('email,name,email\n')).rejects.toThrow('the column "email" comes twice');
  await expect(read('email,Company,Firma\n')).rejects.toThrow('"Company" and "Firma" say the same');
  await expect(read('email,,name\n')).rejects.toThrow('the column 2 has no name');
  await expect(read('name,company\n')).rejects.toThrow('no column for e-mail addresses or phone numbers');
  const many = Array.from({ length: 51 }, (_, n) => `c${n}`).join(',');
  await expect(read(`email,${many}\n`)).rejects.toThrow('51 columns are none that Alfred knows');
  await expect(read(`email,${'c'.repeat(201)}\n`)).rejects.toThrow('the name of the column 2 is longer than 200');
  const own = Array.from({ length: 100 }, (_, n) => `alfred_${n}`).join(',');
  await expect(read(`email,${own}\n`, 'csv', { size: 1_000 })).rejects.toThrow('101 columns, and 100 at the most');
  // Several may have e-mail addresses or phone numbers, and programs end rows with a separator.
  expect((await read('email,Email 2,phone,Mobile,\n')).columns).toEqual(['email', 'Email 2', 'phone', 'Mobile']);
});

test('a row with more values than columns has a fault, and an open quotation mark ends the file', async () => {
  const { lines } = await read('email,name\na@example.com,Lee, Ann\nb@example.com,Bob\n');
  expect(lines).toMatchObject([
    { line: 2, fault: expect.stringContaining('has 3 values, and there are 2 columns') },
    { line: 3 },
  ]);
  await expect(read('email,name\na@example.com,"Ann\nb@example.com,Bob\n')).rejects.toThrow(
    'a quotation mark is opened and never closed',
  );
});

test('JSON is read as a list or inside "contacts", and what is no object has a fault', async () => {
  const list = [{ name: 'Ann', emails: ['a@example.com', 'b@example.com'], age: 42, note: null, more: { x: 1 } }, 7];
  const expected = [
    { line: 1, fields: { name: 'Ann', emails: 'a@example.com\nb@example.com', age: '42', more: '{"x":1}' } },
    { line: 2, fields: { alfred_raw: '7' }, fault: 'is not a JSON object' },
  ];
  expect((await read(JSON.stringify(list), 'json')).lines).toEqual(expected);
  expect((await read(JSON.stringify({ from: 'fair', contacts: list }), 'json')).lines).toEqual(expected);
  await expect(read('[{"name":"Ann"},{"na', 'json')).rejects.toThrow('is not JSON after contact 1');
  await expect(read('name,email', 'json')).rejects.toThrow('expected a JSON list');
});

test('JSON that never ends a contact is refused at its beginning, however long it is', async () => {
  let taken = 0;
  const endless = async function* (text: string) {
    yield Buffer.from(text);
    for (; taken < 100; taken++) yield Buffer.from('a'.repeat(100_000));
  };
  const readEndless = async (text: string) => {
    taken = 0;
    for await (const item of readContacts(endless(text), { format: 'json', charset: undefined }))
      expect(item).toBeUndefined();
  };
  await expect(readEndless('['.repeat(1_000))).rejects.toThrow('lists and objects more than 20 deep');
  expect(taken).toBe(0);
  await expect(readEndless('[{"name":"a')).rejects.toThrow('1000000 characters without a contact');
  expect(taken).toBeLessThan(12);
});

test('a contact with too many fields, or with values that stand too deep, is a line with a fault', async () => {
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`c${n}`, n]));
  const deep = `{"email":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const { lines } = await read(`${JSON.stringify(many)}\n${deep}\n{"email":"a@example.com"}\n`, 'jsonl', {
    size: 65_536,
  });
  expect(lines).toMatchObject([
    { fault: 'has more than 200 fields' },
    { fault: expect.stringContaining('too deep') },
    { line: 3, fields: { email: 'a@example.com' } },
  ]);
});

test('each line of JSON lines stands alone', async () => {
  expect((await read('{"email":"a@example.com"}\r\n\n{"email":\n{"email":"b@example.com"}', 'jsonl')).lines).toEqual([
    { line: 1, fields: { email: 'a@example.com' } },
    { line: 3, fields: { alfred_raw: '{"email":' }, fault: 'is not a JSON object' },
    { line: 4, fields: { email: 'b@example.com' } },
  ]);
});

const cards = [
  'BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:N=C3=BA=C3=B1=\r\nez;Jos=C3=A9\r\n',
  'TEL;CELL;VOICE:+49 30 901820\r\nEMAIL;INTERNET:jose@example.com\r\nORG:Acme, Inc.;Sales\r\n',
  'PHOTO;JPEG;ENCODING=BASE64:\r\n /9j/4AAQ\r\n\r\nEND:VCARD\r\n',
  'begin:vcard\nVERSION:3.0\nFN:Ann\n  Lee\nN:Lee;Ann;;;\nitem1.EMAIL;TYPE=home:home@example.com\n',
  'EMAIL;TYPE="work,pref":ann@example.com\nADR;TYPE=WORK:;;Street 1;Berlin;;10115;Germany\nend:vcard\n',
  'BEGIN:VCARD\nVERSION:4.0\nFN:Bob\nTEL;VALUE=uri;PREF=1:tel:+1-213-373-4253\nORG:Acme\\, Inc.\nEND:VCARD\n',
].join('');

test('vCards 2.1, 3.0 and 4.0 are read: folded lines, quoted-printable, pictures, preferences', async () => {
  const { lines } = await read(cards, 'vcard');
  expect(lines).toMatchObject([
    {
      line: 1,
      fields: {
        firstName: 'José',
        lastName: 'Núñez',
        phone: '+49 30 901820',
        email: 'jose@example.com',
        company: 'Acme, Inc.',
      },
    },
    { line: 12, fields: { name: 'Ann Lee', email: 'ann@example.com\nhome@example.com', country: 'Germany' } },
    { line: 21, fields: { name: 'Bob', phone: 'tel:+1-213-373-4253', company: 'Acme, Inc.' } },
  ]);
  await expect(read('BEGIN:VCARD\nFN:Ann\n', 'vcard')).rejects.toThrow('the card has no END:VCARD');
  await expect(read('FN:Ann\n', 'vcard')).rejects.toThrow('line 1: expected BEGIN:VCARD');
});

test('of folded properties only those that are read are joined, each once', () => {
  const picture = Array.from({ length: 1_000 }, () => ' EMAIL:hidden@example.com=');
  const lines = ['VERSION:3.0', 'FN:An', ' n', 'PHOTO;ENCODING=b:AAAA', ...picture, 'TITLE:Buyer='];
  const quoted = [
    'NOTE;ENCODING=QUOTED-PRINTABLE:a=',
    'EMAIL:hidden@example.com',
    'ORG;QUOTED-PRINTABLE:Ac=',
    'me=2C=',
    ' Inc',
  ];
  let looked = 0;
  const exec = Reflect.get(RegExp.prototype, 'exec');
  const spy = jest.spyOn(RegExp.prototype, 'exec').mockImplementation(function (this: RegExp, text: string) {
    looked += text.length;
    return exec.call(this, text);
  });
  try {
    expect(modernCard([...lines, ...quoted])).toBe('VERSION:3.0\r\nFN:Ann\r\nTITLE:Buyer=\r\nORG:Acme\\,Inc');
  } finally {
    spy.mockRestore();
  }
  // 26,000 characters, and not as many again with each line.
  expect(looked).toBeLessThan(200_000);
});
