import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seededRandom } from '../../cli/eval/seeded-random.ts';
import { SearchResult } from '../../contract/documents.ts';
import { obtainEmbeddingModel } from '../../deploy/local/downloads/embedding-model.ts';
import { localModel } from '../../deploy/local/downloads/embedding-models.ts';
import { loadConfig } from '../../runtime/config.ts';
import { toMegabytes } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startStack } from './stack.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** About the size of a page of a company's handbook. */
const charactersAFile = 6_500;
const pollMs = 100;

/**
 * Measures how soon a folder of Markdown files that `alfred documents add` sends is searchable, by words and by
 * meaning, with the model that ALFRED_EMBEDDINGS names.
 */
export async function measureAddedFolder(options: { count: number } & Surroundings) {
  const { count, dir, log, cleanups } = options;
  // The database is started below; no one opens this one.
  const { ALFRED_EMBEDDINGS, HF_ENDPOINT } = loadConfig({ ...process.env, DATABASE_URL: 'postgres://127.0.0.1/none' });
  const model = localModel({ ALFRED_EMBEDDINGS });
  if (!model) throw new Error(`ALFRED_EMBEDDINGS=${ALFRED_EMBEDDINGS} is no model on this machine`);
  const folder = await obtainEmbeddingModel(model, { log, endpoint: HF_ENDPOINT });
  const characters = await writeFiles(join(dir, 'notes'), count);
  const variables = { ALFRED_EMBEDDINGS, ALFRED_EMBEDDING_MODEL_DIR: folder };
  const { url, adapters } = await startStack({ dir, log, cleanups }, variables);
  console.log(`\n${count} Markdown files, ${toMegabytes(characters)} MB; ${model.name}`);
  const startedAtMs = performance.now();
  const seconds = () => (performance.now() - startedAtMs) / 1_000;
  await promisify(execFile)(process.execPath, [join(root, 'cli', 'alfred.mjs'), 'documents', 'add', 'notes'], {
    cwd: dir,
    env: { ...process.env, ALFRED_URL: url },
    maxBuffer: 16_000_000,
  });
  await findLast(url, count);
  console.log(`searchable by words after ${seconds().toFixed(1)} s (${(count / seconds()).toFixed(1)} files/s)`);
  const embedder = await adapters.embeddings.embedder();
  if (!embedder) throw new Error('the embedding model could not be loaded');
  while (true) {
    const { chunks, embedded } = await adapters.vectors.progress(embedder.model);
    if (embedded === chunks && (await adapters.vectors.pendingSince(embedder.model)) === undefined) {
      await findLast(url, count);
      const rate = `${(chunks / seconds()).toFixed(1)} texts/s`;
      console.log(`searchable by meaning after ${seconds().toFixed(1)} s (${chunks} passages, ${rate})`);
      return;
    }
    await setTimeout(pollMs);
  }
}

/** Files of paragraphs of this project's documentation. No two have a passage in common. @returns their characters */
async function writeFiles(folder: string, count: number): Promise<number> {
  const docs = join(root, 'docs');
  const pages = (await readdir(docs)).filter((name) => name.endsWith('.md')).sort();
  const texts = await Promise.all(pages.map((name) => readFile(join(docs, name), 'utf8')));
  const paragraphs = texts.flatMap((text) => text.split(/\n{2,}/)).filter((text) => /^[A-Z]/.test(text));
  const random = seededRandom(1);
  await mkdir(folder);
  let characters = 0;
  for (let n = 0; n < count; n++) {
    let text = `# Notes ${n}\n\nThe code of this file is note${n}x.\n`;
    for (let section = 1; text.length < charactersAFile; section++) {
      const drawn = Array.from({ length: 3 }, () => paragraphs[Math.floor(random() * paragraphs.length)] ?? '');
      text += `\n## Part ${section}\n\n${drawn.join('\n\n')}\n`;
    }
    characters += text.length;
    await writeFile(join(folder, `${n}.md`), text);
  }
  return characters;
}

/** @throws when a search does not find the last file */
async function findLast(url: string, count: number): Promise<void> {
  const response = await fetch(`${url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: `note${count - 1}x`, limit: 1 }),
  });
  const { passages } = SearchResult.parse(await response.json());
  if (!passages[0]?.document.endsWith(`/${count - 1}.md`)) throw new Error('the last file is not found');
}
