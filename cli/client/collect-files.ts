import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { readableExtensions } from '../../contract/readable-files.ts';
import { CliError, usageError } from '../cli-error.ts';

/** Other files in a folder are passed over and counted. */
const supported: ReadonlySet<string> = new Set(readableExtensions);

export type FoundFile = { path: string; name: string; sizeBytes: number };
export type Found = { files: FoundFile[]; skipped: { unsupported: number; hidden: number } };

/**
 * Files to add, folders walked to the bottom. A file's name is its path from where the command runs, or its whole path
 * when it lies elsewhere: the same file again replaces itself, and never another one that happens to be called alike. Hidden files, node_modules and
 * kinds that are not read are skipped in folders; a file named outright is always sent.
 *
 * @throws CliError for a path that is not there
 */
export async function collectFiles(paths: string[]): Promise<Found> {
  const found: Found = { files: [], skipped: { unsupported: 0, hidden: 0 } };
  for (const path of paths) {
    const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`${path}: ${error.code === 'ENOENT' ? 'there is no such file or folder' : error.message}`);
    });
    const start = resolve(path);
    if (info.isDirectory()) await walk(start, new Set(), found);
    else found.files.push({ path: start, name: nameOf(start), sizeBytes: info.size });
  }
  // A file that was given twice is sent once.
  found.files = [...new Map(found.files.map((file) => [file.path, file])).values()];
  return found;
}

function nameOf(path: string): string {
  const fromHere = relative(process.cwd(), path);
  const isElsewhere = fromHere.startsWith('..') || isAbsolute(fromHere);
  return (isElsewhere ? path.slice(parse(path).root.length) : fromHere).split(sep).join('/');
}

async function walk(folder: string, above: ReadonlySet<string>, found: Found): Promise<void> {
  const real = await realpath(folder);
  // A link that leads back to a folder we are in would never end.
  if (above.has(real)) return;
  const within = new Set(above).add(real);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${folder}: the folder cannot be read (${error.code})`, { cause: error });
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') {
      found.skipped.hidden++;
      continue;
    }
    const path = join(folder, entry.name);
    // A link may lead nowhere.
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory()) await walk(path, within, found);
    else if (info?.isFile() && supported.has(extname(entry.name).toLowerCase())) {
      found.files.push({ path, name: nameOf(path), sizeBytes: info.size });
    } else found.skipped.unsupported++;
  }
}
