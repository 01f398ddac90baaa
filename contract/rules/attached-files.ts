/** The collection of documents that come from messages in Slack. */
export const slackCollection = 'slack';

/** The name of such a document for people, without the hash of its content. */
export const shownDocumentName = (name: string): string => name.replace(/^slack\/[0-9a-f]{12,64}\//, 'slack/');

const heading = 'Files that I have attached; they are documents now:';

type AttachedFile = { name: string; documentId: string | null };

/** A question as a conversation gets it, with the documents that its attached files have become. */
export function withAttachedFiles(words: string, files: AttachedFile[]): string {
  if (files.length === 0) return words;
  const lines = files.map(({ name, documentId }) =>
    documentId === null ? `- ${name} (not read)` : `- ${name} (documentId ${documentId})`,
  );
  return `${words}\n\n${heading}\n${lines.join('\n')}`;
}

/** The words alone: what is searched for where no model writes the query. */
export const withoutAttachedFiles = (text: string): string => text.split(`\n\n${heading}\n`, 1)[0] ?? text;
