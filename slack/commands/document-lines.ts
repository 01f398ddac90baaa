import type { Documents, SearchIndex } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { SearchRequest } from '../../contract/documents.ts';
import { shownDocumentName } from '../../contract/rules/attached-files.ts';
import { oneLine } from '../rendering/cut.ts';
import { escapeMrkdwn } from '../rendering/mrkdwn.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { code, linesMessage } from './lines-message.ts';

const mostListed = 20;
const mostPassages = 5;
const excerptLength = 200;

type Deps = { documents: Pick<Documents, 'list'>; index: Pick<SearchIndex, 'search'> };

/** Searches what the person may read; without words lists it. */
export const createDocumentCommand =
  ({ documents, index }: Deps) =>
  async (principal: Principal, words: string): Promise<SlackMessage> => {
    if (words === '') return listMessage(await documents.list(principal, { limit: mostListed }));
    const request = SearchRequest.safeParse({ query: words, limit: mostPassages });
    if (!request.success) return linesMessage('That is too long to search for: write 2,000 characters at most.', []);
    const { passages, evidence } = await index.search(principal, request.data);
    if (passages.length === 0 || evidence === 'none')
      return linesMessage('Nothing that you may read comes near to that.', []);
    const lines = passages.map(
      ({ document, headingPath, page, text }) =>
        `• *${escapeMrkdwn([shownDocumentName(document), ...headingPath].join(' › '))}*${page === null ? '' : `, page ${page}`}\n   ${escapeMrkdwn(oneLine(text, excerptLength))}`,
    );
    return linesMessage('*What comes nearest*', lines, [
      evidence === 'strong' ? 'Best first.' : 'Best first. Not much of it is near to your words.',
    ]);
  };

function listMessage({ documents, nextCursor }: Awaited<ReturnType<Documents['list']>>): SlackMessage {
  if (documents.length === 0) return linesMessage('There is no document that you may read.', []);
  const lines = documents.map(
    ({ name, collection }) => `• ${escapeMrkdwn(oneLine(shownDocumentName(name), 200))} (${escapeMrkdwn(collection)})`,
  );
  const more =
    nextCursor === null ? [] : [`The first ${mostListed} by name. ${code('/alfred documents <words>')} searches all.`];
  return linesMessage('*What you may read*', lines, more);
}
