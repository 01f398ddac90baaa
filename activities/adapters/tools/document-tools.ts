import type { Documents, SearchIndex, Tool } from '../../ports.ts';
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
