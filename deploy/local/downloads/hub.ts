import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadFile } from './download-file.ts';
import type { ModelFiles, Place } from './embedding-models.ts';

type Hub = Extract<Place, { kind: 'hub' }>;

/**
 * Fetches a model's files from the model hub, or a mirror that has the same paths.
 *
 * @param endpoint where the hub is, HF_ENDPOINT as its own tools call it
 * @param folder   where the files go; a part of one that is there already is not loaded again
 * @throws with the host and the reason
 */
export async function fetchFromHub(
  { repository, revision, paths }: Hub,
  { endpoint, files, folder }: { endpoint: string; files: ModelFiles; folder: string },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const base = endpoint.replace(/\/+$/, '');
  // The small one first: where it cannot be had, the large one is not asked for.
  for (const name of ['tokenizer.json', 'model.onnx'] as const) {
    const url = new URL(`${base}/${repository}/resolve/${revision}/${paths[name]}`);
    await downloadFile(url, join(folder, name), files[name]);
  }
}
