import type { ContactFormat } from '../../contract/contacts.ts';
import type { ContactReader } from '../../contract/ports/index.ts';
import { decodeStream } from './decode-stream.ts';
import { readCsvContacts } from './read-csv-contacts.ts';
import { readJsonContacts, readJsonLines } from './read-json-contacts.ts';
import { readVCards } from './read-vcards.ts';

const readers = {
  csv: readCsvContacts,
  json: readJsonContacts,
  jsonl: readJsonLines,
  vcard: readVCards,
} satisfies Record<ContactFormat, (texts: AsyncIterable<string>) => ReturnType<ContactReader>>;

/** Reads contacts as they come, in little memory. */
export const readContacts: ContactReader = (bytes, { format, charset }) =>
  readers[format](decodeStream(bytes, charset));
