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

/** The extensions as messages to people list them, without rare ones. */
export const readableKinds = '.md .txt .html .pdf .docx .xlsx .pptx .csv .tsv .json .jsonl and .eml';
