import { writeFile } from 'node:fs/promises';
import { openApiDocument } from './document.ts';
import { errorPage } from './error-page.ts';
import { eventPage } from './event-page.ts';

// `npm run docs:api`
const document = await openApiDocument();
await writeFile('docs/reference/errors.md', errorPage(document));
await writeFile('docs/reference/events.md', eventPage(document));
