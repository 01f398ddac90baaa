import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { alfred } from './run-alfred.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/documents/${name}`, import.meta.url));
const preview = (...args: string[]) => alfred(['documents', 'preview', ...args], { NO_COLOR: '1' });

test('a preview shows what would be read of a file, without a running stack', async () => {
  const { code, stdout } = await preview(fixture('agreement.docx'));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Title: +1\. Scope\nLanguage: en\nRead as: +application\/vnd\.openxml/);
  expect(stdout).toContain('1. Scope › 1.1 Purpose');
});

test('a preview says why a file would not be read, also as JSON', async () => {
  const { code, stdout } = await preview(fixture('password.pdf'), '--json');
  expect(code).not.toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'password.pdf', error: { code: 'file_encrypted' } });
});
