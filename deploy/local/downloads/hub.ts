import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadFile } from './download-file.ts';
import type { ModelFiles, Place } from './embedding-models.ts';

type Hub = Extract<Place, { kind: 'hub' }>;

/**
 * Fetches a model's files from the Hugging Face hub, or from a mirror with the same paths.
 *
 * @param endpoint address of the hub, as in HF_ENDPOINT
 * @param folder   target folder; a partly downloaded file is continued
 * @throws Error with host and reason
 */
export async function fetchFromHub(
  { repository, revision, paths }: Hub,
  { endpoint, files, folder }: { endpoint: string; files: ModelFiles; folder: string },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const base = endpoint.replace(/\/+$/, '');
  // The small file first: when it is not available, the large one is not requested.
  for (const name of ['tokenizer.json', 'model.onnx'] as const) {
    const url = new URL(`${base}/${repository}/resolve/${revision}/${paths[name]}`);
    await downloadFile(url, join(folder, name), files[name]);
  }
}
