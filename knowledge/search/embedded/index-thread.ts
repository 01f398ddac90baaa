import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@libsql/client';
import { LRUCache } from 'lru-cache';
import { AlfredError, type ErrorCode } from '../../../contract/errors.ts';
import type { IndexPosition } from '../change-log.ts';
import type { Candidates } from '../passage-index.ts';
import { applyChanges, type ChangeBatch } from './apply-changes.ts';
import { readFileState, resetFile, type FileState } from './file-state.ts';
import { isScratchFolder } from './scratch-folder.ts';
import { findCandidates } from './find-candidates.ts';
import { createIndexHandle, type IndexHandle, type OpenFile } from './index-handle.ts';
import { emptyFileCache, type FileQuery, type FileCache } from './file-cache.ts';

/** What a thread does with the index file of a tenant in `dir`. */
export type IndexJob = { dir: string } & (
  | { do: 'state' }
  | { do: 'reset'; from: IndexPosition; source: string; model: string }
  | { do: 'apply'; from: IndexPosition; changes: ChangeBatch }
  | { do: 'find'; minimum: Omit<FileState, 'anchor'>; model: string; query: FileQuery }
  | { do: 'counts' }
  | { do: 'ids' }
  | { do: 'copy'; to: string }
  | { do: 'adopt'; from: string }
);
export type IndexJobResults = {
  state: FileState;
  reset: undefined;
  apply: undefined;
  /** Undefined when the file has not reached `minimum`: another file has taken its place. */
  find: Candidates | undefined;
  counts: { passages: number; vectors: number; bytes: number };
  ids: { chunkId: string; hasVector: boolean }[];
  copy: undefined;
  adopt: undefined;
};
/** Errors lose their class between threads, so an AlfredError is passed as data. */
export type JobOutcome = { result: unknown } | { failure: { code: ErrorCode; message: string; cause: string } };

/** Each open file takes three of the process's file descriptors, and memory for its cache. */
const maxOpenFiles = 50;

type IndexEntry = {
  handle: IndexHandle;
  /** The file, history and model that the cache was filled from. Another key makes the cache invalid. */
  contentKey: string;
  cache: FileCache;
};
const openIndexes = new LRUCache<string, IndexEntry>({
  max: maxOpenFiles,
  dispose: ({ handle }) => void handle.close(),
});

/** Runs one job. Piscina calls it by its name. */
export async function runJob(job: IndexJob): Promise<JobOutcome> {
  const { dir } = job;
  closeRemovedFolders();
  const entry = openIndexes.get(dir) ?? { handle: createIndexHandle(dir), contentKey: '', cache: emptyFileCache() };
  openIndexes.set(dir, entry);
  try {
    if (job.do === 'adopt') return { result: await entry.handle.adoptCopyOf(job.from) };
    return { result: await entry.handle.withOpenFile((openFile) => runOnFile(job, openFile, entry)) };
  } catch (error) {
    if (!(error instanceof AlfredError)) throw error;
    return { failure: { code: error.code, message: error.message, cause: String(error.cause) } };
  }
}

/** Closes the files whose scratch folder was removed. An open file keeps its disk space even when it is removed. */
function closeRemovedFolders() {
  for (const dir of openIndexes.keys()) if (isScratchFolder(dir) && !existsSync(dir)) openIndexes.delete(dir);
}

async function runOnFile(
  job: Exclude<IndexJob, { do: 'adopt' }>,
  openFile: OpenFile,
  entry: IndexEntry,
): Promise<unknown> {
  const { client } = openFile;
  switch (job.do) {
    case 'state':
      return readFileState(client);
    case 'reset':
      return resetFile(client, job.from, job.source, job.model);
    case 'apply':
      return applyChanges(client, job.from, job.changes);
    case 'counts':
      return readCounts(client);
    case 'ids':
      return readChunkIds(client);
    case 'copy':
      await client.execute({ sql: 'vacuum into ?', args: [job.to] });
      return undefined;
    case 'find':
      return findInFile(job, openFile, entry);
  }
}

async function readCounts(client: Client): Promise<IndexJobResults['counts']> {
  const sql = `select (select count(*) from passages) as passages, (select count(*) from vectors) as vectors,
    (select page_count * page_size from pragma_page_count, pragma_page_size) as bytes`;
  const { rows } = await client.execute(sql);
  const [row] = rows;
  return { passages: Number(row?.passages), vectors: Number(row?.vectors), bytes: Number(row?.bytes) };
}

async function readChunkIds(client: Client): Promise<IndexJobResults['ids']> {
  const sql = `select p.chunk_id, v.id is not null as has_vector from passages p left join vectors v on v.passage = p.id`;
  const { rows } = await client.execute(sql);
  return rows.map((row) => ({ chunkId: row.chunk_id as string, hasVector: Number(row.has_vector) === 1 }));
}

async function findInFile(
  { minimum, model: wantedModel, query }: Extract<IndexJob, { do: 'find' }>,
  { client, name }: OpenFile,
  entry: IndexEntry,
): Promise<IndexJobResults['find']> {
  const { source, applied, anchor, model } = await readFileState(client);
  if (source !== minimum.source || model !== minimum.model || applied < minimum.applied) return undefined;
  const contentKey = join(name, source, model);
  if (entry.contentKey !== contentKey) Object.assign(entry, { contentKey, cache: emptyFileCache() });
  // Vectors of different models are not comparable.
  const comparable = model === wantedModel ? query : { ...query, vector: undefined };
  return findCandidates(client, entry.cache, `${applied} ${anchor}`, comparable);
}
