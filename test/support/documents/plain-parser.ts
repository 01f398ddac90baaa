import type { DocumentParser } from '../../../contract/ports/index.ts';
import { AlfredError } from '../../../contract/errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses plain text. The first line is the title, a line with `# ` opens a section, and every paragraph is a chunk. It
 * refuses empty and binary files, as the real parser does.
 */
export const plainParser: DocumentParser = {
  async parse({ name, bytes }, signal) {
    signal.throwIfAborted();
    if (bytes.length === 0) throw new AlfredError('file_empty', `${name}: the file is empty.`);
    if (bytes.includes(0)) throw new AlfredError('file_type_unsupported', `${name}: the content is binary.`);
    const text = decoder.decode(bytes);
    let headingPath: string[] = [];
    const chunks = [...text.matchAll(/[^\n]+(?:\n[^\n]+)*/g)].flatMap(({ index, 0: paragraph }) => {
      if (paragraph.startsWith('# ')) {
        headingPath = [paragraph.slice(2)];
        return [];
      }
      return [{ headingPath, page: null, text: paragraph, start: index, end: index + paragraph.length }];
    });
    return { title: text.split('\n')[0]?.replace(/^# /, '') ?? name, text, language: null, chunks };
  },
};
