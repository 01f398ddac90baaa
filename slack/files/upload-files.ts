import { AlfredError } from '../../contract/errors.ts';
import type {
  Audit,
  BegunSlackFile,
  IngestionControl,
  SlackFiles,
  Tenants,
  UploadedFile,
} from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import { slackCollection } from '../../contract/rules/attached-files.ts';
import type { Config } from '../../runtime/config.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import type { Question } from '../asking/question.ts';
import { slackSubject } from '../asking/slack-principals.ts';
import type { Download } from './download.ts';
import { documentNameOf, problemLine, type FileProblem } from './file-words.ts';
import { createFindFile, type FileOfTeam } from './find-file.ts';

export type UploadFilesDeps = {
  calls: SlackCalls;
  download: Download;
  files: Pick<SlackFiles, 'begin' | 'beginUpload'>;
  ingestions: Pick<IngestionControl, 'checkTemporal' | 'create'>;
  tenants: Pick<Tenants, 'requireRoom'>;
  audit: Pick<Audit, 'note'>;
  config: Pick<Config, 'ALFRED_MAX_UPLOAD_MB'>;
  /** The process stops: another one goes on. */
  signal: AbortSignal;
};

/** `ingestionId` is absent when no file is to be read. */
export type UploadOfMessage = { files: BegunSlackFile[]; ingestionId: string | undefined };

/** How many files of one message are read. */
export const mostFiles = 20;
/** As long as the API waits for an upload. */
const downloadMs = 300_000;

type Limits = Parameters<Download>[1];
type Content = { name: string; mediaType: string; bytes: Uint8Array };

/**
 * Reads a message's files from Slack and stores them as the API stores an upload. Together they may be as large as one.
 *
 * @throws AlfredError `temporal_unavailable`; SlackCallError; the reason of the signal
 */
export function createUploadFiles(deps: UploadFilesDeps) {
  const { calls, download, files, ingestions, tenants, audit, config, signal } = deps;
  const findFile = createFindFile(calls);

  async function fetchFile(
    file: FileOfTeam,
    limits: Limits,
  ): Promise<Content | { name: string; problem: FileProblem }> {
    const found = await findFile(file, limits.signal);
    if ('problem' in found) return found;
    const { name, mediaType } = found;
    const downloaded = await download({ ...found, team: file.team }, limits);
    if ('bytes' in downloaded) return { name, mediaType, bytes: downloaded.bytes };
    return { name, problem: downloaded.problem === 'gone' ? 'deleted' : downloaded.problem };
  }

  const unread = ({ id, name }: { id: string; name: string }, problem: FileProblem): BegunSlackFile => ({
    fileId: id,
    name,
    documentName: null,
    problem: problemLine(problem, name, config.ALFRED_MAX_UPLOAD_MB),
  });

  async function fetchFiles(question: Question): Promise<{ begun: BegunSlackFile[]; uploads: UploadedFile[] }> {
    const { team } = question;
    const deadline = linkAbort([signal], { timeoutMs: downloadMs });
    const uploads = new Map<string, UploadedFile>();
    const begun: BegunSlackFile[] = [];
    let maxBytes = Math.floor(config.ALFRED_MAX_UPLOAD_MB * 1_000_000);
    try {
      for (const file of question.files.slice(0, mostFiles)) {
        const found = await fetchFile({ ...file, team }, { maxBytes, signal: deadline.signal }).catch(
          (error: unknown) => {
            if (!deadline.hasTimedOut()) throw error;
            return { name: file.name, problem: 'unavailable' as const };
          },
        );
        if ('problem' in found) {
          begun.push(unread({ id: file.id, name: found.name }, found.problem));
          continue;
        }
        const { name, mediaType, bytes } = found;
        const documentName = documentNameOf(name, bytes);
        maxBytes -= bytes.length;
        uploads.set(documentName, { name: documentName, mediaType, bytes });
        begun.push({ fileId: file.id, name, documentName, problem: null });
      }
    } finally {
      deadline.release();
    }
    begun.push(...question.files.slice(mostFiles).map((file) => unread(file, 'too_many')));
    return { begun, uploads: [...uploads.values()] };
  }

  async function hasRoom(tenant: string): Promise<boolean> {
    try {
      await tenants.requireRoom(tenant);
      return true;
    } catch (error) {
      if (error instanceof AlfredError && error.code === 'tenant_full') return false;
      throw error;
    }
  }

  function noteUpload({ team, userId, isDirect }: Question, { tenant, subject, kind, via }: Principal, id: string) {
    // In a channel the documents are the channel's, and the entry names the person.
    const actor = isDirect ? subject : slackSubject(team, userId);
    const resource = { type: 'ingestion', id };
    audit.note({ tenant, subject: actor, kind, via, action: 'document.upload', resource, outcome: 'ok' });
  }

  return async (question: Question, principal: Principal): Promise<UploadOfMessage> => {
    // While Temporal is away, a repeat would download all of it again.
    await ingestions.checkTemporal();
    const { begun, uploads } = (await hasRoom(principal.tenant))
      ? await fetchFiles(question)
      : { begun: question.files.map((file) => unread(file, 'no_room')), uploads: [] };
    // Before the upload: what is deleted in Slack from now on is found by these rows.
    const isThere = await files.begin(question, principal, begun);
    if (!isThere || uploads.length === 0) return { files: begun, ingestionId: undefined };
    const { id } = await ingestions.create(principal, uploads, {
      collection: slackCollection,
      readers: [],
      origin: slackSubject(question.team, question.channel),
    });
    await files.beginUpload(question, id);
    noteUpload(question, principal, id);
    return { files: begun, ingestionId: id };
  };
}
