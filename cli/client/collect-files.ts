import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { readableExtensions } from '../../contract/readable-files.ts';
import { CliError, usageError } from '../cli-error.ts';

/** Files in a folder that have another extension are skipped and counted. */
const supported: ReadonlySet<string> = new Set(readableExtensions);

export type CollectedFile = { path: string; name: string; sizeBytes: number };
export type CollectedFiles = { files: CollectedFile[]; skipped: { unsupported: number; hidden: number } };

/**
 * Collects the files to add, folders with all their subfolders.
 *
 * A file's name is its path relative to the working directory, or its absolute path when it is outside of that. Adding
 * the same file again therefore replaces it, and never replaces another file with the same base name.
 *
 * In folders, hidden files, node_modules and unsupported extensions are skipped. A file that is itself a path of the
 * command is always collected.
 *
 * @throws CliError for a path that does not exist
 */
export async function collectFiles(paths: string[]): Promise<CollectedFiles> {
  const found: CollectedFiles = { files: [], skipped: { unsupported: 0, hidden: 0 } };
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
  const relativePath = relative(process.cwd(), path);
  const isOutside = relativePath.startsWith('..') || isAbsolute(relativePath);
  return (isOutside ? path.slice(parse(path).root.length) : relativePath).split(sep).join('/');
}

/** @param ancestors real paths of the folders above this one */
async function walk(folder: string, ancestors: ReadonlySet<string>, found: CollectedFiles): Promise<void> {
  const real = await realpath(folder);
  // A symbolic link back to one of these folders would make an endless loop.
  if (ancestors.has(real)) return;
  const withThis = new Set(ancestors).add(real);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${folder}: the folder cannot be read (${error.code})`, { cause: error });
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') {
      found.skipped.hidden++;
      continue;
    }
    const path = join(folder, entry.name);
    // A symbolic link may be broken.
    const info = await stat(path).catch(() => undefined);
    if (info?.isDirectory()) await walk(path, withThis, found);
    else if (info?.isFile() && supported.has(extname(entry.name).toLowerCase())) {
      found.files.push({ path, name: nameOf(path), sizeBytes: info.size });
    } else found.skipped.unsupported++;
  }
}
