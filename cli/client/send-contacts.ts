import { openAsBlob } from 'node:fs';
import { basename, extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContactIngest, type ContactSource } from '../../contract/contacts.ts';
import { usageError } from '../cli-error.ts';
import type { ApiClient } from './api-client.ts';
import { createBackoff, isTransient } from './backoff.ts';

/** Media types by the end of a file's name. */
const types: Record<string, string> = {
  '.csv': 'text/csv',
  '.tsv': 'text/csv',
  '.json': 'application/json',
  '.jsonl': 'application/jsonl',
  '.ndjson': 'application/jsonl',
  '.vcf': 'text/vcard',
};
const pollMs = 250;
const giveUpAfterMs = 120_000;

export const isContactFile = (file: string) => extname(file).toLowerCase() in types;

type Options = { source: ContactSource; country?: string | undefined; key?: string | undefined; signal?: AbortSignal };

/** Sends a file of contacts, as it is read. @returns the upload, which may run yet */
export async function sendContacts(
  api: ApiClient,
  file: string,
  { source, country, key, signal }: Options,
): Promise<ContactIngest> {
  const type = types[extname(file).toLowerCase()];
  if (type === undefined)
    throw usageError(`${file} is no file of contacts: its name ends in none of ${Object.keys(types).join(', ')}.`);
  const body = await openFile(file);
  return api.call('/v1/contacts', {
    method: 'POST',
    body,
    headers: { 'content-type': type, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    query: { source, country, name: basename(file).slice(0, 200) },
    ...(signal && { signal }),
    answer: ContactIngest,
  });
}

async function openFile(file: string): Promise<Blob> {
  try {
    return await openAsBlob(file);
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Waits for the end of an upload. An outage of up to two minutes is waited out. */
export async function waitForContacts(api: ApiClient, id: string, signal?: AbortSignal): Promise<ContactIngest> {
  const backoff = createBackoff({ giveUpAfterMs, signal });
  while (true) {
    try {
      const ingest = await api.call(`/v1/contact-ingests/${encodeURIComponent(id)}`, {
        answer: ContactIngest,
        ...(signal && { signal }),
      });
      if (ingest.status !== 'running') return ingest;
      backoff.reset();
      await sleep(pollMs, undefined, { signal });
    } catch (error) {
      if (!isTransient(error)) throw error;
      await backoff.wait(error as Error);
    }
  }
}

/** The rejected lines of an upload, in the form that it came in or as CSV. */
export async function readRejected(api: ApiClient, { id }: Pick<ContactIngest, 'id'>, format?: 'csv' | 'jsonl') {
  const accept = { csv: 'text/csv', jsonl: 'application/jsonl', usual: '*/*' }[format ?? 'usual'];
  const response = await api.open(`/v1/contact-ingests/${encodeURIComponent(id)}/rejected`, { headers: { accept } });
  return { isCsv: (response.headers.get('content-type') ?? '').startsWith('text/csv'), bytes: await response.bytes() };
}
