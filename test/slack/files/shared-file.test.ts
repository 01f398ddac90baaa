import { expect, test } from '@jest/globals';
import { withAttachedFiles, withoutAttachedFiles } from '../../../contract/rules/attached-files.ts';
import { documentNameOf, refusedLine } from '../../../slack/files/file-words.ts';
import { filesIn, sharedFileIn } from '../../../slack/files/shared-file.ts';

const nameOf = (name: unknown) => sharedFileIn({ id: 'F1', name })?.name;

test('a name is one line without a folder, and keeps the end that says what it is', () => {
  expect(nameOf('plan.txt')).toBe('plan.txt');
  expect(nameOf('C:\\docs\\plan.txt')).toBe('plan.txt');
  expect(nameOf('../../etc/passwd')).toBe('passwd');
  expect(nameOf('a\n\u202Eb.txt')).toBe('a b.txt');
  expect(nameOf('..')).toBe('file');
  const long = nameOf(`${'x'.repeat(300)}.docx`);
  expect(long).toHaveLength(150);
  expect(long?.endsWith('….docx')).toBe(true);
  expect(nameOf(undefined)).toBe('file F1');
});

test('what is no file is left out', () => {
  expect(filesIn(undefined)).toEqual([]);
  expect(filesIn([null, 'F1', {}, { id: 'F2' }]).map(({ id }) => id)).toEqual(['F2']);
});

test('a document is named by its content and its file', () => {
  const [one, two] = [Buffer.from('one'), Buffer.from('two')];
  expect(documentNameOf('a.txt', one)).toBe(documentNameOf('a.txt', Buffer.from('one')));
  expect(documentNameOf('a.txt', one)).not.toBe(documentNameOf('a.txt', two));
});

test('a reason is about the file as the person knows it', () => {
  expect(refusedLine('slack/12/a.pdf: it is damaged.', 'a.pdf', 'slack/12/a.pdf')).toBe(
    'I could not read “a.pdf”: it is damaged.',
  );
  expect(refusedLine('It failed.', 'a.pdf', 'slack/12/a.pdf')).toBe('I could not read “a.pdf”: It failed.');
});

test('a question names its files, and is found again without them', () => {
  expect(withAttachedFiles('What?', [])).toBe('What?');
  expect(withoutAttachedFiles('What?')).toBe('What?');
  const asked = withAttachedFiles('What is\n\nit?', [
    { name: 'a.txt', documentId: '1' },
    { name: 'b.txt', documentId: null },
  ]);
  expect(asked).toMatch(/\n- a\.txt \(documentId 1\)\n- b\.txt \(not read\)$/);
  expect(withoutAttachedFiles(asked)).toBe('What is\n\nit?');
});
