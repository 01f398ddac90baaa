import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContactIngest } from '../../contract/contacts.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { ApiClient } from './api-client.ts';
import { isTransient } from './backoff.ts';
import { isContactFile, readRejected, sendContacts, waitForContacts } from './send-contacts.ts';

/** What became of a file. */
export type WatchedFile = { file: string } & ({ ingest: ContactIngest } | { error: string });

type Options = {
  country?: string | undefined;
  everyMs: number;
  /** Takes the files that are there, and ends. */
  once: boolean;
  onFile: (file: WatchedFile) => void;
  onOutage: (error: Error) => void;
  signal: AbortSignal;
};

/**
 * Sends the files of contacts that come into a folder. A file is taken when it has not changed between two checks. One
 * that was sent goes to `done/`, with its rejected lines beside it; one that is refused goes to `failed/`, with the
 * reason, and so does one whose upload failed or was cancelled. A file that was sent and not moved is sent again under
 * the same key, which changes nothing.
 */
export async function watchContacts(api: ApiClient, folder: string, options: Options): Promise<void> {
  const { everyMs, once, onFile, onOutage, signal } = options;
  for (const inner of ['done', 'failed'])
    await mkdir(join(folder, inner), { recursive: true }).catch((error: unknown) => {
      throw usageError(`${folder} cannot be watched: ${(error as Error).message}`);
    });
  let before = new Map<string, string>();
  while (!signal.aborted) {
    const now = await readStates(folder);
    try {
      for (const [file, state] of now)
        if (before.get(file) === state) {
          onFile(await takeFile(api, folder, file, { ...options, state }));
          now.delete(file);
        }
    } catch (error) {
      if (signal.aborted) return;
      if (!isTransient(error)) throw error;
      onOutage(error as Error);
    }
    if (once && now.size === 0) return;
    before = now;
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The files of contacts in a folder, each with its size and the time of its last change. */
async function readStates(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = new Map<string, string>();
  for (const { name } of entries.filter((entry) => entry.isFile() && isContactFile(entry.name))) {
    const about = await stat(join(folder, name)).catch(() => undefined);
    if (about) found.set(name, `${about.size} ${about.mtimeMs}`);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function takeFile(
  api: ApiClient,
  folder: string,
  name: string,
  { country, state, signal }: Options & { state: string },
): Promise<WatchedFile> {
  const file = join(folder, name);
  const key = await keyOf(file, `${name} ${state}`);
  try {
    const sent = await sendContacts(api, file, { source: 'folder', country, key, signal });
    const ingest = await waitForContacts(api, sent.id, signal);
    // With its id: the next file of this name is another one.
    const { name: stem, ext } = parse(name);
    const target = join(folder, ingest.status === 'completed' ? 'done' : 'failed', `${stem}-${ingest.id}`);
    if (ingest.counts.rejected > 0) {
      const { isCsv, bytes } = await readRejected(api, ingest);
      await writeFile(`${target}.rejected.${isCsv ? 'csv' : 'jsonl'}`, bytes);
    }
    const error = ingest.status === 'completed' ? undefined : brokenOff(ingest);
    if (error !== undefined) await writeFile(`${target}${ext}.reason.txt`, `${error}\n`);
    await rename(file, `${target}${ext}`);
    return error === undefined ? { file: name, ingest } : { file: name, error };
  } catch (error) {
    if (signal.aborted || isTransient(error) || !(error instanceof CliError)) throw error;
    const target = join(folder, 'failed', `${key.slice(-8)}-${name}`);
    await writeFile(`${target}.reason.txt`, `${error.message}\n`);
    await rename(file, target);
    return { file: name, error: error.message };
  }
}

const brokenOff = ({ id, status, lines, counts }: ContactIngest) =>
  `The upload ${id} is ${status}: ${counts.pending} of ${lines} lines were not stored. Send the file again: lines that were stored change nothing.`;

async function keyOf(file: string, about: string): Promise<string> {
  const hash = createHash('sha256').update(about);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `folder-${hash.digest('hex').slice(0, 40)}`;
}
