import { LRUCache } from 'lru-cache';
import { isLastIngestionEvent, type IngestionEvent } from '../../contract/ingestion-events.ts';
import type { BegunSlackFile, IngestionEvents, SlackFile, SlackFiles, Tenants } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import { createSemaphore } from '../../runtime/semaphore.ts';
import type { Question } from '../asking/question.ts';
import { problemLine, refusedLine, type FileProblem } from './file-words.ts';
import { createReadingStatus } from './reading-status.ts';
import { createUploadFiles, mostFiles, type UploadFilesDeps } from './upload-files.ts';

export type ReadFilesDeps = UploadFilesDeps & {
  files: Pick<SlackFiles, 'find' | 'findUpload' | 'begin' | 'beginUpload' | 'store'>;
  ingestionEvents: Pick<IngestionEvents, 'read' | 'waitForEnd'>;
  tenants: Pick<Tenants, 'requireActive' | 'requireRoom'>;
  /** How long a question waits for its files to be read. */
  waitMs?: number;
};

/** A file takes a minute at the most, once its turn has come. */
const usualWaitMs = 120_000;
/** Messages whose files are in memory at once, of all workspaces and of one. */
const messagesAtOnce = { all: 3, ofTeam: 2 };

/** What became of the files of an upload so far, by the names of their documents. */
type Outcomes = {
  byName: Map<string, { documentId: string } | { message: string }>;
  /** Of the files without an outcome. */
  otherwise: FileProblem;
};

export type ReadFiles = (question: Question, principal: Principal) => Promise<SlackFile[]>;

/**
 * Makes documents of a message's files, which the principal alone may read: a person, or the members of a channel.
 * Resolves when searches find them, when they have failed, or after a time. Safe to repeat.
 *
 * @returns what became of each file, in order
 * @throws AlfredError `temporal_unavailable`, `tenant_suspended`; SlackCallError; the reason of the signal
 */
export function createReadFiles(deps: ReadFilesDeps): ReadFiles {
  const { calls, files, tenants, config, signal } = deps;
  const withSlot = createSlots();
  const whileReading = createReadingStatus(calls);
  const upload = createUploadFiles(deps);

  async function read(question: Question, principal: Principal): Promise<SlackFile[]> {
    // An attempt that broke off may have begun an upload: it goes on, and no file is downloaded again.
    const begun =
      (await files.findUpload(question)) ?? (await withSlot(question.team, signal, () => upload(question, principal)));
    const outcomes = begun.ingestionId ? await waitForOutcomes(deps, principal, begun.ingestionId) : noOutcomes;
    return begun.files.map((file) => outcomeOf(file, outcomes, config.ALFRED_MAX_UPLOAD_MB));
  }

  return async (question, principal) => {
    const earlier = await files.find(question);
    if (earlier) return earlier;
    await tenants.requireActive(principal.tenant);
    const [first, ...more] = question.files;
    const what = first && !first.isStub && more.length === 0 ? first.name : 'the attached files';
    const found = await whileReading(question, `is reading ${what} …`, () => read(question, principal));
    return files.store(question, found);
  };
}

/** A workspace that sends many files leaves room for those of others. */
function createSlots() {
  const withAny = createSemaphore(messagesAtOnce.all);
  const ofTeams = new LRUCache<string, typeof withAny>({ max: 1_000 });
  return async <T>(team: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const withOfTeam = ofTeams.get(team) ?? createSemaphore(messagesAtOnce.ofTeam);
    ofTeams.set(team, withOfTeam);
    return withOfTeam(signal, () => withAny(signal, work));
  };
}

/** The message was deleted before its files were sent to be read. */
const noOutcomes: Outcomes = { byName: new Map(), otherwise: 'deleted' };

function outcomeOf(
  { name, documentName, problem }: BegunSlackFile,
  outcomes: Outcomes,
  maxMegabytes: number,
): SlackFile {
  const failed = (line: string | null) => ({ name, documentName, documentId: null, problem: line });
  if (documentName === null) return failed(problem);
  const outcome = outcomes.byName.get(documentName);
  if (!outcome) return failed(problemLine(outcomes.otherwise, name, maxMegabytes));
  if ('message' in outcome) return failed(refusedLine(outcome.message, name, documentName));
  return { name, documentName, documentId: outcome.documentId, problem: null };
}

/** Waits until the upload has ended or the time is over. */
async function waitForOutcomes(
  { ingestionEvents, signal, waitMs = usualWaitMs }: Pick<ReadFilesDeps, 'ingestionEvents' | 'signal' | 'waitMs'>,
  principal: Principal,
  ingestionId: string,
): Promise<Outcomes> {
  const deadline = linkAbort([signal], { timeoutMs: waitMs });
  try {
    await ingestionEvents.waitForEnd(ingestionId, deadline.signal);
  } finally {
    deadline.release();
  }
  signal.throwIfAborted();
  const byName: Outcomes['byName'] = new Map();
  const events = await ingestionEvents.read(principal, ingestionId, 0, 2 * mostFiles);
  for (const event of events) {
    if (event.type === 'file.read') byName.set(event.data.name, { documentId: event.data.documentId });
    if (event.type === 'file.failed') byName.set(event.data.name, { message: event.data.error.message });
  }
  return { byName, otherwise: otherwiseOf(events) };
}

/** An upload is cancelled when its message was deleted in Slack. */
function otherwiseOf(events: IngestionEvent[]): FileProblem {
  if (events.some(({ type }) => type === 'ingestion.cancelled')) return 'deleted';
  return events.some(isLastIngestionEvent) ? 'broken' : 'late';
}
