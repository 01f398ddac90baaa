import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../../contract/errors.ts';
import { isReadableName } from '../../../contract/readable-files.ts';
import type { Listing, SourceReader, SourceLocation } from '../../../contract/ports/index.ts';
import { shareAbortable } from '../../../runtime/share-abortable.ts';
import type { Outbound } from '../../../adapters/outbound/outbound.ts';
import { documentNameOf } from '../document-name.ts';
import { createGitHttp } from './git-http.ts';

const maxFiles = 50_000;
/** Files and folders in a commit. The tree is checked because a few objects can make up any number of folders. */
const maxTreeEntries = 500_000;
/** Repositories that are kept on disk, and how long an unused one is kept. */
const maxCheckouts = 4;
const checkoutTtlMs = 600_000;

/** One commit on disk. `files` are the object ids of its files by path. */
type Checkout = { gitdir: string; files: Map<string, string> };

/** Reads the readable files below a folder of a repository, from the newest commit of a branch. */
export function createGitSource({ outbound, maxBytes }: { outbound: Outbound; maxBytes: number }) {
  const checkouts = new LRUCache<string, Checkout>({
    max: maxCheckouts,
    ttl: checkoutTtlMs,
    ttlAutopurge: true,
    dispose: ({ gitdir }) => void rm(gitdir, { recursive: true, force: true }).catch(() => undefined),
  });

  const keyOf = ({ address, options }: SourceLocation) => JSON.stringify([address, options.branch]);

  /** Items that are read at the same time share one fetch. It goes on until none of their readers wants it. */
  const fetchShared = shareAbortable(async (source: SourceLocation, signal) => {
    const fetched = await fetchCheckout(outbound, source, signal);
    checkouts.set(keyOf(source), fetched);
    return fetched;
  }, keyOf);

  const checkout = async (source: SourceLocation, signal: AbortSignal): Promise<Checkout> =>
    checkouts.get(keyOf(source)) ?? fetchShared(source, signal);

  const reader: SourceReader = {
    async list(source, signal): Promise<Listing> {
      checkouts.delete(keyOf(source));
      const { files } = await checkout(source, signal);
      const folder = folderOf(source);
      const items = [...files]
        .filter(([path]) => path.startsWith(folder) && isReadableName(path))
        .map(([path, oid]) => ({ name: documentNameOf(`${repositoryOf(source)}/${path}`), address: path, etag: oid }));
      if (items.length > maxFiles)
        throw new AlfredError('source_unreadable', `There are more than ${maxFiles} files in the folder.`);
      return { items, failures: [], isWhole: true };
    },

    async read(source, { address: path, validators }, signal) {
      const { gitdir, files } = await checkout(source, signal);
      const oid = files.get(path);
      if (oid === undefined) return { state: 'gone' };
      if (oid === validators.etag) return { state: 'unchanged' };
      const { default: git } = await import('isomorphic-git');
      const { blob } = await git.readBlob({ fs, gitdir, oid });
      if (blob.length > maxBytes)
        throw new AlfredError(
          'file_too_large',
          `This file is larger than the ${maxBytes / 1_000_000} MB that are read at once. Raise ALFRED_MAX_UPLOAD_MB.`,
        );
      return { state: 'read', bytes: blob, mediaType: '', typeDecides: false, etag: oid, lastModified: null };
    },
  };
  return {
    ...reader,
    /** Deletes the repositories on disk. */
    close: () => checkouts.clear(),
  };
}

/** Fetches the newest commit of a branch, without its history, into a temporary folder. */
async function fetchCheckout(
  outbound: Outbound,
  { address, options: { branch } }: SourceLocation,
  signal: AbortSignal,
): Promise<Checkout> {
  const { default: git } = await import('isomorphic-git');
  const gitdir = await mkdtemp(join(tmpdir(), 'alfred-git-'));
  try {
    await git.init({ fs, gitdir, bare: true });
    await git.addRemote({ fs, gitdir, remote: 'origin', url: address });
    const { fetchHead } = await git.fetch({
      fs,
      gitdir,
      url: address,
      http: createGitHttp(outbound, signal),
      depth: 1,
      singleBranch: true,
      tags: false,
      ...(branch === undefined ? {} : { ref: branch, remoteRef: branch }),
    });
    return {
      gitdir,
      files: fetchHead === null ? new Map<string, string>() : await listTree(gitdir, fetchHead, signal),
    };
  } catch (error) {
    await rm(gitdir, { recursive: true, force: true });
    signal.throwIfAborted();
    throw gitError(error, new URL(address).host);
  }
}

/** The object ids of all files of a commit, by path. */
async function listTree(gitdir: string, commit: string, signal: AbortSignal): Promise<Map<string, string>> {
  const { default: git } = await import('isomorphic-git');
  const files = new Map<string, string>();
  let entries = 0;
  const walk = async (treeOid: string, folder: string): Promise<void> => {
    signal.throwIfAborted();
    const { tree } = await git.readTree({ fs, gitdir, oid: treeOid });
    for (const entry of tree) {
      if (++entries > maxTreeEntries)
        throw new AlfredError('file_too_large', `The repository has more than ${maxTreeEntries} files and folders.`);
      const path = folder + entry.path;
      if (entry.type === 'tree') await walk(entry.oid, `${path}/`);
      // Symbolic links (mode 120000) are skipped: their targets may be outside the folder.
      else if (entry.type === 'blob' && entry.mode !== '120000') files.set(path, entry.oid);
    }
  };
  await walk(commit, '');
  return files;
}

/** The folder to read, with a slash at its end; empty for the whole repository. */
const folderOf = ({ options: { folder = '' } }: SourceLocation) =>
  folder.replace(/^\/+|\/+$/g, '').replace(/(.)$/, '$1/');

/** For example `git.example.com/team/handbook`. */
function repositoryOf({ address }: SourceLocation): string {
  const { host, pathname } = new URL(address);
  return host + pathname.replace(/\/+$/, '').replace(/\.git$/, '');
}

/** Maps an error of the Git library to an error code. */
function gitError(cause: unknown, host: string): AlfredError {
  if (cause instanceof AlfredError) return cause;
  const { code = '' } = cause as { code?: string };
  if (code === 'NotFoundError')
    return new AlfredError('source_unreadable', `The repository at ${host} has no such branch.`, { cause });
  if (/^[A-Z]\w+Error$/.test(code))
    return new AlfredError('source_unreadable', `What ${host} answered is no repository that can be read (${code}).`, {
      cause,
    });
  return new AlfredError('internal', undefined, { cause });
}
