import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { AlfredError } from '../../../contract/errors.ts';
import { readableExtensions } from '../../../contract/readable-files.ts';
import type { Listing, SourceReader, SourceLocation } from '../../../contract/ports/index.ts';
import type { Outbound } from '../../../adapters/outbound/outbound.ts';
import { documentNameOf } from '../document-name.ts';
import { createGitHttp } from './git-http.ts';

const maxFiles = 50_000;
/** Of all folders: few objects can make up any number of them. */
const maxEntries = 500_000;
/** Repositories on disk at once, and how long one that nobody reads is kept. */
const keptRepositories = 4;
const keptMs = 600_000;

const readable = new Set<string>(readableExtensions);
const isReadable = (path: string) => readable.has(extname(path).toLowerCase());

type Checkout = { gitdir: string; files: Map<string, string> };

/** The readable files below a folder of a repository, as the newest commit of a branch has them. */
export function createGitSource({ outbound, maxBytes }: { outbound: Outbound; maxBytes: number }) {
  const kept = new LRUCache<string, Checkout>({
    max: keptRepositories,
    ttl: keptMs,
    ttlAutopurge: true,
    dispose: ({ gitdir }) => void rm(gitdir, { recursive: true, force: true }).catch(() => undefined),
  });

  /** One commit, without those before it. */
  async function fetchNewest({ address, options }: SourceLocation, signal: AbortSignal): Promise<Checkout> {
    const { default: git } = await import('isomorphic-git');
    const gitdir = await mkdtemp(join(tmpdir(), 'alfred-git-'));
    try {
      await git.init({ fs, gitdir, bare: true });
      await git.addRemote({ fs, gitdir, remote: 'origin', url: address });
      const { branch } = options;
      const { fetchHead } = await git.fetch({
        ...{ fs, gitdir, url: address, http: createGitHttp(outbound, signal) },
        ...{
          depth: 1,
          singleBranch: true,
          tags: false,
          ...(branch === undefined ? {} : { ref: branch, remoteRef: branch }),
        },
      });
      const files = new Map<string, string>();
      let entries = 0;
      const walk = async (oid: string, folder: string): Promise<void> => {
        signal.throwIfAborted();
        const { tree } = await git.readTree({ fs, gitdir, oid });
        for (const entry of tree) {
          if (++entries > maxEntries)
            throw new AlfredError('file_too_large', `The repository has more than ${maxEntries} files and folders.`);
          const path = folder + entry.path;
          if (entry.type === 'tree') await walk(entry.oid, `${path}/`);
          // No links: what they lead to is not part of the folder.
          else if (entry.type === 'blob' && entry.mode !== '120000') files.set(path, entry.oid);
        }
      };
      if (fetchHead !== null) await walk(fetchHead, '');
      return { gitdir, files };
    } catch (error) {
      await rm(gitdir, { recursive: true, force: true });
      signal.throwIfAborted();
      throw gitProblem(error, new URL(address).host);
    }
  }

  const keyOf = ({ address, options }: SourceLocation) => JSON.stringify([address, options.branch]);
  const underWay = new Map<string, Promise<Checkout>>();
  /** Items that are read side by side wait for one fetch. */
  async function checkout(source: SourceLocation, signal: AbortSignal): Promise<Checkout> {
    const key = keyOf(source);
    const known = kept.get(key) ?? underWay.get(key);
    if (known) return known;
    const fetching = fetchNewest(source, signal).finally(() => underWay.delete(key));
    underWay.set(key, fetching);
    const fetched = await fetching;
    kept.set(key, fetched);
    return fetched;
  }

  const reader: SourceReader = {
    async list(source, signal): Promise<Listing> {
      kept.delete(keyOf(source));
      const { files } = await checkout(source, signal);
      const folder = folderOf(source);
      const items = [...files]
        .filter(([path]) => path.startsWith(folder) && isReadable(path))
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
    /** Removes what is on disk. */
    close: () => kept.clear(),
  };
}

const folderOf = ({ options: { folder = '' } }: SourceLocation) =>
  folder.replace(/^\/+|\/+$/g, '').replace(/(.)$/, '$1/');

/** `git.example.com/team/handbook` */
function repositoryOf({ address }: SourceLocation): string {
  const { host, pathname } = new URL(address);
  return host + pathname.replace(/\/+$/, '').replace(/\.git$/, '');
}

function gitProblem(cause: unknown, host: string): AlfredError {
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
