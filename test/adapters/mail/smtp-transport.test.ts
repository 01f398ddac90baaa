import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

// What the transport does is tested in test/agents/tools/send-email.test.ts, with the tool that uses it.

test('nodemailer is pinned to an exact version, because the transport imports its inner modules', async () => {
  const file = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(file) as { dependencies: Record<string, string> };
  expect(dependencies['nodemailer']).toMatch(/^\d+\.\d+\.\d+$/);
});
