import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';

/** A jar in a Maven repository. `files`: names at the top of the jar, with the names that the files get. */
export type Jar = { group: string; artifact: string; version: string; files: Record<string, string> };

/** A file in a Maven repository that is no jar. */
export type Artifact = { group: string; artifact: string; version: string; extension: string };

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
/** Limits Maven, which by default waits half an hour for a server. */
const timeoutMs = 10 * 60 * 1_000;

/**
 * Fetches a jar by Maven and unpacks files from it. Repositories and proxies are those of the person's Maven settings.
 * Nothing in the jar is executed.
 *
 * @param folder target folder; the caller must check the files against the pinned ones
 * @throws Error when there is no Maven, no network, or no such file in the jar
 */
export async function fetchFromMaven(jar: Jar, folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const { group, artifact, version, files } = jar;
  // A folder of its own: Maven finds no pom.xml there, and its other files are removed with the folder.
  const scratch = join(folder, 'maven');
  await mkdir(scratch);
  try {
    await run(scratch, environment, [
      `${plugin}:unpack`,
      `-Dartifact=${group}:${artifact}:${version}`,
      `-DoutputDirectory=${scratch}`,
      `-Dmdep.unpack.includes=${Object.keys(files).join()}`,
    ]);
    for (const [path, name] of Object.entries(files))
      await rename(join(scratch, path), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
        throw new Error(`the jar ${artifact} ${version} gave no ${path} (${error.code})`, { cause: error });
      });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Fetches a file by Maven as it is.
 *
 * @param folder target folder; the caller must check the file against the pinned one
 * @returns the path of the file
 */
export async function copyFromMaven(
  { group, artifact, version, extension }: Artifact,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  await run(folder, environment, [
    `${plugin}:copy`,
    `-Dartifact=${group}:${artifact}:${version}:${extension}`,
    `-DoutputDirectory=${folder}`,
  ]);
  return join(folder, `${artifact}-${version}.${extension}`);
}

async function run(cwd: string, environment: NodeJS.ProcessEnv, args: string[]): Promise<void> {
  try {
    const options = { cwd, env: environment, timeout: timeoutMs, maxBuffer: 16_000_000 };
    await promisify(execFile)('mvn', ['--batch-mode', '--quiet', ...args], options);
  } catch (error) {
    const { code, killed, stdout = '' } = error as NodeJS.ErrnoException & { killed?: boolean; stdout?: string };
    if (code === 'ENOENT') throw new Error('there is no Maven (mvn)', { cause: error });
    if (killed) throw new Error(`Maven took longer than ${timeoutMs / 60_000} minutes`, { cause: error });
    throw new Error(reasonIn(stdout) ?? `mvn ended with ${code}`, { cause: error });
  }
}

/** The first error in Maven's output, without the goal and project names. Addresses are shortened to their host. */
const reasonIn = (output: string): string | undefined =>
  /^\[ERROR\] (?:Failed to execute goal .* on project \S+: )?(.+?)(?: -> \[Help \d+\])?$/m
    .exec(stripVTControlCharacters(output))?.[1]
    ?.replace(/\bhttps?:\/\/[^\s)]+/g, (url) => (URL.canParse(url) ? new URL(url).host : 'an address'));
