import { readFile } from 'node:fs/promises';
import { Ingestion, type IngestedFile, type Placement } from '../../contract/documents.ts';
import { ApiProblem, type ApiClient } from './api-client.ts';
import type { FoundFile } from './collect-files.ts';
import { createPatience, isPassing } from './backoff.ts';

/** Small enough for the server's usual limit (ALFRED_MAX_UPLOAD_MB), large enough that the requests cost nothing. */
const batchBytes = 8_000_000;
const batchFiles = 100;

export type Refused = Pick<IngestedFile, 'name'> & { message: string };
export type Upload = { ingestions: Ingestion[]; refused: Refused[]; sent: number };

/**
 * Sends files in batches. A batch the server finds too large is halved; a file it refuses, or that cannot be read here,
 * is set aside with the reason and stops no other. Repeating an upload is safe: an unchanged file changes nothing.
 */
export async function upload(
  api: ApiClient,
  { files, placement }: { files: FoundFile[]; placement: Placement },
  progress: (state: Upload) => Promise<void>,
  say: (line: string) => void,
): Promise<Upload> {
  const state: Upload = { ingestions: [], refused: [], sent: 0 };
  const queue = batches(files);
  for (let batch = queue.shift(); batch; batch = queue.shift()) {
    try {
      const form = await formOf(batch, state.refused);
      if (form) state.ingestions.push(await send(api, { form, query: queryOf(placement) }, say));
      state.sent += batch.length;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status >= 500) throw error;
      if (batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        queue.unshift(batch.slice(0, half), batch.slice(half));
        continue;
      }
      state.refused.push({ name: batch[0]?.name ?? '', message: error.message });
      state.sent++;
    }
    await progress(state);
  }
  return state;
}

/** Groups of at most `batchFiles` files and about `batchBytes`; a larger file stands alone. */
export function batches(files: FoundFile[]): FoundFile[][] {
  const all: FoundFile[][] = [];
  let size = 0;
  for (const file of files) {
    const last = all.at(-1);
    if (!last || last.length >= batchFiles || size + file.sizeBytes > batchBytes) {
      all.push([file]);
      size = file.sizeBytes;
    } else {
      last.push(file);
      size += file.sizeBytes;
    }
  }
  return all;
}

async function formOf(batch: FoundFile[], refused: Refused[]): Promise<FormData | undefined> {
  const form = new FormData();
  let isEmpty = true;
  for (const { path, name } of batch) {
    try {
      form.append('files', new Blob([await readFile(path)]), name);
      isEmpty = false;
    } catch (error) {
      // A halved batch comes here again.
      const message = `cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
      if (!refused.some((file) => file.name === name)) refused.push({ name, message });
    }
  }
  return isEmpty ? undefined : form;
}

function queryOf({ collection, readers, tags }: Placement): string {
  const query = new URLSearchParams({ collection });
  if (readers) query.set('readers', readers.join(','));
  if (tags) query.set('tags', tags.join(','));
  return query.toString();
}

type Sent = { form: FormData; query: string };
async function send(api: ApiClient, { form, query }: Sent, say: (line: string) => void): Promise<Ingestion> {
  const patience = createPatience({
    limitMs: 60_000,
    onWait: (error) => say(`${error.message.split('\n')[0]}\nTrying again …`),
  });
  for (;;) {
    try {
      return await api.call(`/v1/documents?${query}`, { method: 'POST', form, answer: Ingestion });
    } catch (error) {
      if (!isPassing(error)) throw error;
      await patience.wait(error as Error);
    }
  }
}
