import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';

/** A jar in a Maven repository, and files at its top by the names they get. */
export type Jar = { group: string; artifact: string; version: string; files: Record<string, string> };

const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack';
/** Maven waits for a server for half an hour, where nobody tells it otherwise. */
const longestMs = 10 * 60 * 1_000;

/**
 * Fetches a jar by Maven, from whichever repositories and through whichever proxy the person's settings name, and unpacks
 * files of it. Nothing of it is run.
 *
 * @param folder where the files go; whether they are the pinned ones is the caller's to look at
 * @throws when there is no Maven, no network, or no such file in the jar
 */
export async function fetchFromMaven(jar: Jar, folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const { group, artifact, version, files } = jar;
  // A folder of its own, where Maven meets nobody's pom.xml and leaves what it likes.
  const aside = join(folder, 'maven');
  await mkdir(aside);
  try {
    await run(aside, environment, [
      `-Dartifact=${group}:${artifact}:${version}`,
      `-DoutputDirectory=${aside}`,
      `-Dmdep.unpack.includes=${Object.keys(files).join()}`,
    ]);
    for (const [path, name] of Object.entries(files))
      await rename(join(aside, path), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
        throw new Error(`the jar ${artifact} ${version} gave no ${path} (${error.code})`, { cause: error });
      });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function run(cwd: string, environment: NodeJS.ProcessEnv, args: string[]): Promise<void> {
  try {
    const options = { cwd, env: environment, timeout: longestMs, maxBuffer: 16_000_000 };
    await promisify(execFile)('mvn', ['--batch-mode', '--quiet', goal, ...args], options);
  } catch (error) {
    const { code, killed, stdout = '' } = error as NodeJS.ErrnoException & { killed?: boolean; stdout?: string };
    if (code === 'ENOENT') throw new Error('there is no Maven (mvn)', { cause: error });
    if (killed) throw new Error(`Maven took longer than ${longestMs / 60_000} minutes`, { cause: error });
    throw new Error(reasonIn(stdout) ?? `mvn ended with ${code}`, { cause: error });
  }
}

/** The first error that Maven tells, without the names around it; of an address, only its host. */
const reasonIn = (output: string): string | undefined =>
  /^\[ERROR\] (?:Failed to execute goal .* on project \S+: )?(.+?)(?: -> \[Help \d+\])?$/m
    .exec(stripVTControlCharacters(output))?.[1]
    ?.replace(/\bhttps?:\/\/[^\s)]+/g, (url) => (URL.canParse(url) ? new URL(url).host : 'an address'));
