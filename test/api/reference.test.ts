import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { openApiDocument } from '../../api/reference/document.ts';
import { errorPage } from '../../api/reference/error-page.ts';
import { eventPage } from '../../api/reference/event-page.ts';
import { errorCodes } from '../../contract/errors.ts';
import { eventMeanings } from '../../contract/event-meanings.ts';

test('docs/reference/errors.md and docs/reference/events.md are what `npm run docs:api` writes, and name every code and type', async () => {
  const document = await openApiDocument();
  const [errors, events] = await Promise.all(
    ['docs/reference/errors.md', 'docs/reference/events.md'].map((page) => readFile(page, 'utf8')),
  );
  expect(errors).toBe(errorPage(document));
  expect(events).toBe(eventPage(document));
  expect(errorCodes.filter((code) => !errors?.includes(`| \`${code}\` |`))).toEqual([]);
  expect(Object.keys(eventMeanings).filter((type) => !events?.includes(`| \`${type}\` |`))).toEqual([]);
});
