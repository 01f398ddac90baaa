import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { usageError } from '../cli-error.ts';
import { writeTypes } from './write-types.ts';

/** The example of the documentation is the template: it is tested there. */
const template = fileURLToPath(new URL('../../docs/examples/packs/order-desk/', import.meta.url));
const templateName = 'order-desk';

/**
 * Writes a pack with one agent, that runs and passes its own evaluation.
 *
 * @param options `dir`: the folder in which the pack's folder is made
 * @returns the folder of the pack
 * @throws CliError for a name that no agent can have, or a folder that is not empty
 */
export async function writeNewPack(name: string, { dir }: { dir: string }): Promise<string> {
  if (!/^[a-z][a-z0-9-]{0,47}$/.test(name))
    throw usageError(`"${name}" is no name of an agent: expected lower-case words joined by -, like order-desk.`);
  const folder = resolve(dir, name);
  if (existsSync(folder) && (await readdir(folder)).length > 0)
    throw usageError(`${folder} is not empty: give another name, or another folder with --dir.`);
  const variable = name.toUpperCase().replaceAll('-', '_');
  const rename = (text: string) => text.replaceAll(templateName, name).replaceAll('ORDER_DESK', variable);
  for (const path of await readdir(template, { recursive: true })) {
    const from = join(template, path);
    if (!(await stat(from)).isFile() || relative(template, from).startsWith('types')) continue;
    const to = join(folder, rename(path));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, rename(await readFile(from, 'utf8')));
  }
  await writeTypes(folder);
  return folder;
}
