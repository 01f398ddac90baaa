import { readFile } from 'node:fs/promises';
import type { DocumentParser, ParsedDocument } from '../../../contract/ports/index.ts';

/** A function that parses given content. @param parser called for each file: tests create theirs in `beforeAll` */
export const parseWith =
  (parser: () => DocumentParser) =>
  (name: string, content: string | Uint8Array, mediaType = ''): Promise<ParsedDocument> =>
    parser().parse({ name, mediaType, bytes: Buffer.from(content) }, new AbortController().signal);

const root = new URL('../../../', import.meta.url);
export const examplePolicy = (name: string) => readFile(new URL(`docs/examples/policies/${name}`, root));
export const fixture = (name: string) => readFile(new URL(`test/fixtures/documents/${name}`, root));
