import { readFile } from 'node:fs/promises';
import type { Callback } from '../../contract/callback.ts';
import { Ingestion, type IngestedFile, type Placement } from '../../contract/documents.ts';
import { ApiProblem, type ApiClient } from './api-client.ts';
import type { CollectedFile } from './collect-files.ts';
import { createBackoff, isTransient } from './backoff.ts';

/** Below the server's default limit (ALFRED_MAX_UPLOAD_MB), and large enough that few requests are needed. */
const batchBytes = 8_000_000;
const batchFiles = 100;

export type RefusedFile = Pick<IngestedFile, 'name'> & { message: string };
export type Upload = {
  ingestions: Ingestion[];
  /** Files that the server refused, or that cannot be read here. */
  refused: RefusedFile[];
  /** Files that were sent or refused. */
  sent: number;
};

export type UploadRequest = {
  files: CollectedFile[];
  placement: Placement;
  /** Gets the end of each batch: a batch is an upload of its own. */
  callback?: Callback | undefined;
};

/**
 * Sends files in batches. When the server refuses a batch, its halves are sent. A single file that it refuses, or that
 * cannot be read here, is recorded in `refused` with the reason, and the upload continues. Safe to repeat: an unchanged
 * file changes nothing.
 *
 * @param progress called after each batch; it may refresh `ingestions`
 * @param notify   called when an outage begins
 */
export async function upload(
  api: ApiClient,
  { files, placement, callback }: UploadRequest,
  progress: (state: Upload) => Promise<void>,
  notify: (line: string) => void,
): Promise<Upload> {
  const state: Upload = { ingestions: [], refused: [], sent: 0 };
  const queue = batches(files);
  for (let batch = queue.shift(); batch; batch = queue.shift()) {
    try {
      const form = await readForm(batch, state.refused);
      if (form && callback) form.append('callback', JSON.stringify(callback));
      const query = queryOf({ ...placement, origin: batch[0]?.origin });
      if (form) state.ingestions.push(await send(api, { form, query }, notify));
      state.sent += batch.length;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status >= 500) throw error;
      if (batch.length > 1) {
        const middle = Math.ceil(batch.length / 2);
        queue.unshift(batch.slice(0, middle), batch.slice(middle));
        continue;
      }
      state.refused.push({ name: batch[0]?.name ?? '', message: error.message });
      state.sent++;
    }
    await progress(state);
  }
  return state;
}

/** Groups of at most `batchFiles` files and `batchBytes`, each of one origin. A larger file is a group of its own. */
export function batches(files: CollectedFile[]): CollectedFile[][] {
  const all: CollectedFile[][] = [];
  let size = 0;
  for (const file of files) {
    const last = all.at(-1);
    const isFull = !last || last.length >= batchFiles || size + file.sizeBytes > batchBytes;
    if (isFull || last[0]?.origin !== file.origin) {
      all.push([file]);
      size = file.sizeBytes;
    } else {
      last.push(file);
      size += file.sizeBytes;
    }
  }
  return all;
}

/** @returns undefined when no file of the batch can be read */
async function readForm(batch: CollectedFile[], refused: RefusedFile[]): Promise<FormData | undefined> {
  const form = new FormData();
  let isEmpty = true;
  for (const { path, name } of batch) {
    try {
      form.append('files', new Blob([await readFile(path)]), name);
      isEmpty = false;
    } catch (error) {
      // The halves of a refused batch are read again: do not record the file twice.
      const message = `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
      if (!refused.some((file) => file.name === name)) refused.push({ name, message });
    }
  }
  return isEmpty ? undefined : form;
}

function queryOf({ collection, readers, tags, origin, replace }: Placement): string {
  const query = new URLSearchParams({ collection });
  if (readers) query.set('readers', readers.join(','));
  if (tags) query.set('tags', tags.join(','));
  if (origin !== undefined) query.set('origin', origin);
  if (replace) query.set('replace', 'true');
  return query.toString();
}

type Batch = { form: FormData; query: string };
async function send(api: ApiClient, { form, query }: Batch, notify: (line: string) => void): Promise<Ingestion> {
  const backoff = createBackoff({
    giveUpAfterMs: 60_000,
    onWait: (error) => notify(`${error.message.split('\n')[0]}\nTrying again …`),
  });
  while (true) {
    try {
      return await api.call(`/v1/documents?${query}`, { method: 'POST', form, answer: Ingestion });
    } catch (error) {
      if (!isTransient(error)) throw error;
      await backoff.wait(error as Error);
    }
  }
}
