/** The endings of the files that can be read, most used first. */
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

export type ReadableExtension = (typeof readableExtensions)[number];

/** For a sentence, without the spellings that hardly anybody needs to be told. */
export const readableKinds = '.md .txt .html .pdf .docx .xlsx .pptx .csv .tsv .json .jsonl and .eml';
