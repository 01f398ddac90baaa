import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { AlfredError, type ErrorCode } from '../../../contract/errors.ts';
import type { Candidates } from '../passage-index.ts';
import { applyChanges, resetFile, readFileState, type Changes, type Position, type Standing } from './apply-changes.ts';
import { isScratchFolder } from './scratch-folder.ts';
import { findCandidates } from './find-candidates.ts';
import { createIndexFile, type IndexFile, type OpenIndex } from './index-file.ts';
import { emptyFileCache, type FileQuery, type FileCache } from './file-cache.ts';

/** What a thread does with the file of a tenant in `dir`; see embedded-index.ts. */
export type IndexJob = { dir: string } & (
  | { do: 'position' }
  | { do: 'anew'; from: Position; source: string; model: string }
  | { do: 'apply'; from: Position; changes: Changes }
  | { do: 'find'; least: Omit<Standing, 'anchor'>; model: string; query: FileQuery }
  | { do: 'counts' }
  | { do: 'ids' }
  | { do: 'copy'; to: string }
  | { do: 'adopt'; from: string }
);
export type IndexAnswer = {
  position: Standing;
  anew: undefined;
  apply: undefined;
  /** Undefined when the file is not as far as it must be: another one has taken its place. */
  find: Candidates | undefined;
  counts: { passages: number; vectors: number; bytes: number };
  ids: { chunkId: string; hasVector: boolean }[];
  copy: undefined;
  adopt: undefined;
};
/** Errors lose their class between threads, so a refusal travels as data. */
export type Answered = { done: unknown } | { refused: { code: ErrorCode; message: string; cause: string } };

/** An open file takes three of the descriptors that a process may have, and what is remembered of it memory. */
const keptOpen = 50;

type Known = { file: IndexFile; of: string; memory: FileCache };
const known = new LRUCache<string, Known>({ max: keptOpen, dispose: ({ file }) => void file.close() });

export async function work(job: IndexJob): Promise<Answered> {
  const { dir } = job;
  closeRemoved();
  const mine = known.get(dir) ?? { file: createIndexFile(dir), of: '', memory: emptyFileCache() };
  known.set(dir, mine);
  try {
    if (job.do === 'adopt') return { done: await mine.file.adopt(job.from) };
    return { done: await mine.file.use((opened) => answer(job, opened, mine)) };
  } catch (error) {
    if (!(error instanceof AlfredError)) throw error;
    return { refused: { code: error.code, message: error.message, cause: String(error.cause) } };
  }
}

/** A file that stays open keeps its space, although its folder is gone. */
function closeRemoved() {
  for (const dir of known.keys()) if (isScratchFolder(dir) && !existsSync(dir)) known.delete(dir);
}

type Work = Exclude<IndexJob, { do: 'adopt' }>;

async function answer(job: Work, { client, name }: OpenIndex, mine: Known): Promise<unknown> {
  switch (job.do) {
    case 'position':
      return readFileState(client);
    case 'anew':
      return resetFile(client, job.from, job.source, job.model);
    case 'apply':
      return applyChanges(client, job.from, job.changes);
    case 'counts': {
      const sql = `select (select count(*) from passages) as passages, (select count(*) from vectors) as vectors,
        (select page_count * page_size from pragma_page_count, pragma_page_size) as bytes`;
      const { rows } = await client.execute(sql);
      const [row] = rows;
      return { passages: Number(row?.passages), vectors: Number(row?.vectors), bytes: Number(row?.bytes) };
    }
    case 'ids': {
      const sql = `select p.chunk_id, v.id is not null as has_vector from passages p left join vectors v on v.passage = p.id`;
      const { rows } = await client.execute(sql);
      return rows.map((row) => ({ chunkId: row.chunk_id, hasVector: Number(row.has_vector) === 1 }));
    }
    case 'copy':
      await client.execute({ sql: 'vacuum into ?', args: [job.to] });
      return undefined;
    case 'find': {
      const { source, applied, anchor, model } = await readFileState(client);
      const { least } = job;
      if (source !== least.source || model !== least.model || applied < least.applied) return undefined;
      const of = join(name, source, model);
      if (mine.of !== of) Object.assign(mine, { of, memory: emptyFileCache() });
      // Vectors of two models do not compare.
      const query = model === job.model ? job.query : { ...job.query, vector: undefined };
      return findCandidates(client, mine.memory, `${applied} ${anchor}`, query);
    }
  }
}
