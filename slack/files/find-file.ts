import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';
import { isTokenProblem } from '../api-calls/token-problems.ts';
import type { FileProblem } from './file-words.ts';
import { sharedFileIn, type SharedFile } from './shared-file.ts';

export type FileOfTeam = SharedFile & { team: string };

const gone: ReadonlySet<string> = new Set(['file_deleted', 'file_not_found']);
/** Canvases, posts and lists, which are pages of Slack and no files. */
const ownModes: ReadonlySet<string> = new Set(['canvas', 'docs', 'list', 'post', 'quip', 'space']);

/**
 * Finds out whether a file can be read from Slack. Of one that an event only names, Slack is asked.
 *
 * @throws SlackCallError when Slack does not answer, or refuses the token for everything
 */
export const createFindFile =
  (calls: SlackCalls) =>
  async (file: FileOfTeam, signal: AbortSignal): Promise<SharedFile | { name: string; problem: FileProblem }> => {
    const found = file.isStub && problemOf(file) === undefined ? await askSlack(calls, file, signal) : file;
    if ('problem' in found) return found;
    const problem = problemOf(found) ?? (found.url === undefined ? 'not_given' : undefined);
    return problem === undefined ? found : { name: found.name, problem };
  };

function problemOf({ mode, isExternal }: SharedFile): FileProblem | undefined {
  if (mode === 'tombstone') return 'deleted';
  if (mode === 'hidden_by_limit') return 'hidden';
  if (ownModes.has(mode)) return 'page_of_slack';
  return mode === 'external' || isExternal ? 'elsewhere' : undefined;
}

async function askSlack(
  calls: SlackCalls,
  { team, id, name }: FileOfTeam,
  signal: AbortSignal,
): Promise<SharedFile | { name: string; problem: FileProblem }> {
  try {
    const answer = await calls.call({ team, method: 'files.info', signal, arguments: () => ({ file: id }) });
    return sharedFileIn(answer?.file) ?? { name, problem: 'not_given' };
  } catch (error) {
    if (!isSlackCallError(error) || error.effect === 'unknown' || isTokenProblem(error.code)) throw error;
    return { name, problem: gone.has(error.code) ? 'deleted' : 'not_given' };
  }
}
