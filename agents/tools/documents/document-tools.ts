import type { Documents, SearchIndex, Tool } from '../../../contract/ports/index.ts';
import { readDocumentTool } from './read-document.ts';
import { searchDocumentsTool } from './search-documents.ts';

/** What agents may do with the documents. */
export const createDocumentTools = ({
  index,
  documents,
}: {
  index: Pick<SearchIndex, 'search'>;
  documents: Pick<Documents, 'read'>;
}): Tool[] => [searchDocumentsTool(index), readDocumentTool(documents)];
