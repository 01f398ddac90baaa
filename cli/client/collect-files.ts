import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { isReadableName } from '../../contract/readable-files.ts';
import { CliError, usageError } from '../cli-error.ts';

/** `origin` is the folder where the name begins; the server keeps it with the document. */
export type CollectedFile = { path: string; name: string; origin: string; sizeBytes: number };
export type CollectedFiles = { files: CollectedFile[]; skipped: { unsupported: number; hidden: number } };

/** A folder whose files are named from it. */
type Root = { folder: string; prefix: string; origin: string };

/**
 * Collects the files to add, folders with all their subfolders.
 *
 * A file's name is the name of the folder that was given, and the path from there: `docs/a/b.md` for `docs`, for
 * `../x/docs` and for `/home/ann/x/docs`. A file that was given itself has the name of its folder in front. So names do
 * not depend on the working directory.
 *
 * In folders, hidden files, node_modules, lock files of package managers and unsupported extensions are skipped. A file
 * that is itself a path of the command is always collected.
 *
 * @param options.prefix stands in names instead of the folder's own name; empty for none
 * @throws CliError for a path that does not exist, and when two files have the same name
 */
export async function collectFiles(paths: string[], options: { prefix?: string } = {}): Promise<CollectedFiles> {
  const found: CollectedFiles = { files: [], skipped: { unsupported: 0, hidden: 0 } };
  for (const path of paths) {
    const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`${path}: ${error.code === 'ENOENT' ? 'there is no such file or folder' : error.message}`);
    });
    const start = resolve(path);
    const root = await rootOf(info.isDirectory() ? start : dirname(start), options.prefix);
    if (info.isDirectory()) await walk(start, root, new Set(), found);
    else found.files.push(collected(start, root, info.size));
  }
  // A file that was given twice is sent once.
  found.files = [...new Map(found.files.map((file) => [file.path, file])).values()];
  refuseSameNames(found.files);
  return found;
}

async function rootOf(folder: string, prefix = basename(folder)): Promise<Root> {
  const real = await realpath(folder);
  const end = prefix === '' ? '' : `${sep}${prefix.split('/').join(sep)}`;
  // A file has the same origin when its folder is given and when a folder above it is given.
  return {
    folder,
    prefix,
    origin: real.endsWith(end) ? real.slice(0, real.length - end.length) || sep : `${real} as ${prefix}`,
  };
}

function collected(path: string, { folder, prefix, origin }: Root, sizeBytes: number): CollectedFile {
  const below = relative(folder, path).split(sep).join('/');
  return { path, name: prefix === '' ? below : `${prefix}/${below}`, origin, sizeBytes };
}

/** @throws CliError: of two files of the same name, only one would stay */
function refuseSameNames(files: CollectedFile[]) {
  const paths = new Map<string, string>();
  for (const { name, path } of files) {
    const other = paths.get(name);
    if (other !== undefined)
      throw usageError(
        `${other} and ${path} would both be named ${name}. Add them with two commands, one of them with --prefix.`,
      );
    paths.set(name, path);
  }
}

/** @param ancestors real paths of the folders above this one */
async function walk(folder: string, root: Root, ancestors: ReadonlySet<string>, found: CollectedFiles): Promise<void> {
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
    if (info?.isDirectory()) await walk(path, root, withThis, found);
    else if (info?.isFile() && isReadableName(entry.name)) {
      found.files.push(collected(path, root, info.size));
    } else found.skipped.unsupported++;
  }
}
