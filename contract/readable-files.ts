/** Extensions of the files that can be read, the most common first. */
export const readableExtensions = [
  '.md',
  '.markdown',
  '.txt',
  '.text',
  '.html',
  '.htm',
  '.xhtml',
  '.pdf',
  '.docx',
  '.docm',
  '.xlsx',
  '.xlsm',
  '.pptx',
  '.pptm',
  '.csv',
  '.tsv',
  '.json',
  '.jsonl',
  '.ndjson',
  '.eml',
] as const;

/** Pictures, which are read when text recognition is configured. */
export const pictureExtensions = ['.png', '.jpg', '.jpeg', '.tif', '.tiff'] as const;

export type ReadableExtension = (typeof readableExtensions)[number] | (typeof pictureExtensions)[number];

const extensions: ReadonlySet<string> = new Set(readableExtensions);
/** Files that package managers write. They are long lists of hashes, and an answer would quote them. */
const lockFiles: ReadonlySet<string> = new Set(['package-lock.json', 'npm-shrinkwrap.json', 'packages.lock.json']);

/** Tells by its name whether a file in a folder, a repository or a bucket is read. */
export function isReadableName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const dot = name.lastIndexOf('.');
  return dot > 0 && extensions.has(name.slice(dot)) && !lockFiles.has(name);
}

/** The extensions as messages to people list them, without rare ones. */
export const readableKinds = '.md .txt .html .pdf .docx .xlsx .pptx .csv .tsv .json .jsonl and .eml';
