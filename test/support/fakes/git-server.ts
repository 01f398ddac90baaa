import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Git's own server (`git http-backend`) with one repository, `handbook.git`. */
export async function createGitServer() {
  const root = await mkdtemp(join(tmpdir(), 'alfred-git-server-'));
  const work = join(root, 'work');
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'commit.gpgsign=false', ...args], {
      cwd: work,
    });
  await mkdir(work);
  await git('init', '-q', '-b', 'main');
  await run('git', ['init', '-q', '--bare', '-b', 'main', join(root, 'handbook.git')]);
  const requests: string[] = [];
  let answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (answer) answer(request, response);
    else serve(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/handbook.git`,
    requests,
    /** Handles all requests instead of Git; undefined: Git handles them. */
    answerWith: (next: typeof answer) => {
      answer = next;
    },
    /** Commits files and pushes. @param files texts by path; null removes the file */
    async commit(files: Record<string, string | null>, branch = 'main') {
      await git('checkout', '-q', '-B', branch);
      for (const [path, text] of Object.entries(files)) {
        const file = join(work, path);
        await mkdir(dirname(file), { recursive: true });
        if (text === null) await rm(file);
        else await writeFile(file, text);
      }
      await git('add', '-A');
      await git('commit', '-q', '-m', 'change');
      await git('push', '-q', '--force', join(root, 'handbook.git'), branch);
    },
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await rm(root, { recursive: true, force: true });
    },
  };
}
export type GitServer = Awaited<ReturnType<typeof createGitServer>>;

/** Handles one request with `git http-backend` over CGI (RFC 3875). */
function serve(root: string, request: IncomingMessage, response: ServerResponse) {
  const { pathname, search } = new URL(request.url ?? '', 'http://git');
  const { PATH = '' } = process.env;
  const cgi = spawn('git', ['http-backend'], {
    env: {
      PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['git-protocol'] ? { GIT_PROTOCOL: String(request.headers['git-protocol']) } : {}),
    },
  });
  cgi.stdin.on('error', () => undefined);
  request.pipe(cgi.stdin);
  const chunks: Buffer[] = [];
  cgi.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  cgi.on('close', () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    const headers = all
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(': ', 2) as [string, string]);
    const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200);
    response
      .writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
      .end(all.subarray(end + 4));
  });
}
