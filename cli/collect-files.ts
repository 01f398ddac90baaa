import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import { CliError, usageError } from './cli-error.ts';

/** What the parser reads; other files in a folder are passed over and counted. */
const supported = new Set(['.md', '.markdown', '.txt', '.html', '.htm', '.pdf', '.docx']);

export type FoundFile = { path: string; name: string; sizeBytes: number };
export type Found = { files: FoundFile[]; skipped: { unsupported: number; hidden: number } };

/**
 * Files to add, folders walked to the bottom. A file's name is its path from the parent of the folder that was given,
 * so that adding the same folder again, from anywhere, replaces and never doubles. Hidden files, node_modules and
 * kinds that are not read are skipped in folders; a file named outright is always sent.
 *
 * @throws CliError for a path that is not there, or two files that would get one name
 */
export async function collectFiles(paths: string[]): Promise<Found> {
  const found: Found = { files: [], skipped: { unsupported: 0, hidden: 0 } };
  for (const path of paths) {
    const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`${path}: ${error.code === 'ENOENT' ? 'there is no such file or folder' : error.message}`);
    });
    const start = resolve(path);
    if (info.isDirectory()) await walk(start, resolve(start, '..'), new Set(), found);
    else found.files.push({ path: start, name: basename(start), sizeBytes: info.size });
  }
  found.files = withoutDoubles(found.files);
  return found;
}

async function walk(folder: string, parent: string, above: ReadonlySet<string>, found: Found): Promise<void> {
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
    if (info?.isDirectory()) await walk(path, parent, within, found);
    else if (info?.isFile() && supported.has(extname(entry.name).toLowerCase())) {
      found.files.push({ path, name: relative(parent, path).split(sep).join('/'), sizeBytes: info.size });
    } else found.skipped.unsupported++;
  }
}

/** A file that was given twice is sent once; two files of one name are refused. */
function withoutDoubles(files: FoundFile[]): FoundFile[] {
  const seen = new Map<string, FoundFile>();
  for (const file of files) {
    const other = seen.get(file.name);
    if (other && other.path !== file.path) {
      throw usageError(
        `Two files would get the name "${file.name}": ${other.path} and ${file.path}. Add a folder above both instead.`,
      );
    }
    seen.set(file.name, file);
  }
  return [...seen.values()];
}
