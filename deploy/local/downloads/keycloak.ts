import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { packedBytes, readZipDirectory } from '../../../parsing/formats/zip-directory.ts';
import { hashFile } from '../../../runtime/hash.ts';
import { StepFailure } from '../step-failure.ts';
import { cacheDir, removeLeftovers } from './cache-dir.ts';
import { copyFromMaven } from './maven.ts';

const version = '26.4.7';
const sha256 = 'dd9834c023460be856f731423d86228c23b5d002194a2064642bec0cc6573eaa';
const artifact = { group: 'org.keycloak', artifact: 'keycloak-quarkus-dist', version, extension: 'zip' };

export const keycloakName = `keycloak-${version}`;

type Options = { environment: NodeJS.ProcessEnv; fallbackDir: string; progress: (text: string) => void };

/**
 * Fetches Keycloak by Maven, once for all clones of one person. Its repositories and proxies are those of the person's
 * Maven settings.
 *
 * @returns the path of the archive, whose SHA-256 is the pinned one
 * @throws StepFailure
 */
export async function obtainKeycloak({ environment, fallbackDir, progress }: Options): Promise<string> {
  const cache = await cacheDir(environment, fallbackDir);
  const archive = join(cache, `${keycloakName}.zip`);
  if (await isPinned(archive)) return archive;
  await removeLeftovers(cache);
  const scratch = await mkdtemp(join(cache, 'keycloak-new-'));
  try {
    progress(`fetching Keycloak ${version} by Maven, 159 MB, once`);
    const fetched = await copyFromMaven(artifact, scratch, environment);
    const actual = await hashFile(fetched);
    if (actual !== sha256)
      throw new Error(`it has SHA-256 ${actual}, expected ${sha256}: it is not what was pinned, so it is not run`);
    await rename(fetched, archive);
    return archive;
  } catch (error) {
    throw new StepFailure(`Keycloak ${version} could not be fetched: ${(error as Error).message}.`, [
      'install Maven, and let this machine reach its repository once: Keycloak is kept for later starts',
      `or put the archive keycloak-${version}.zip of the Keycloak project at ${archive} (SHA-256 ${sha256})`,
    ]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const isPinned = async (path: string) => (await hashFile(path).catch(() => undefined)) === sha256;

/**
 * Unpacks the archive, once. The folder appears when it is complete.
 *
 * @param prepare finishes the folder before it appears
 */
export async function unpackKeycloak(
  archive: string,
  folder: string,
  prepare: (folder: string) => Promise<void>,
): Promise<void> {
  if (await stat(folder).catch(() => undefined)) return;
  const scratch = `${folder}.new`;
  await rm(scratch, { recursive: true, force: true });
  const file = await readFile(archive);
  const unpack = promisify(inflateRaw);
  for (const entry of readZipDirectory(file) ?? []) {
    const path = join(scratch, entry.name.slice(entry.name.indexOf('/') + 1));
    const packed = packedBytes(file, entry);
    if (entry.name.endsWith('/') || !packed) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, entry.method === 0 ? packed : await unpack(packed));
    if (path.endsWith('.sh')) await chmod(path, 0o755);
  }
  await prepare(scratch);
  await rename(scratch, folder);
}
