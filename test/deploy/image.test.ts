import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { cruise, type ICruiseResult } from 'dependency-cruiser';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The project's files that Node loads for some entries: their own, and those that imports reach, types excluded. */
async function loadedFiles(...entries: string[]): Promise<string[]> {
  const { output } = await cruise(entries, { baseDir: root, doNotFollow: { path: 'node_modules' } });
  return (output as ICruiseResult).modules
    .map(({ source }) => source)
    .filter((source) => !source.startsWith('node_modules/') && existsSync(join(root, source)));
}

/** Sources of the COPY instructions of the last stage, without those from other stages. */
const copied = (
  read('deploy/docker/Dockerfile')
    .split(/^FROM /m)
    .at(-1) ?? ''
)
  .split('\n')
  .filter((line) => /^COPY (?!--from)/.test(line))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));

/** What Dockerfile.dockerignore re-includes after it has excluded everything. */
const [everything, ...included] = read('deploy/docker/Dockerfile.dockerignore').trim().split('\n');
const context = included.map((line) => line.slice(1));

const isIn = (paths: readonly string[], file: string) =>
  paths.some((path) => file === path || file.startsWith(`${path}/`));

test('the image contains every file that a role loads', async () => {
  const entries = ['cli/main.ts', 'api/main.ts', 'slack/main.ts', 'workers/main.ts', 'deploy/docker/healthcheck.mjs'];
  const files = await loadedFiles(...entries);
  expect(files).toEqual(expect.arrayContaining(entries));
  expect(files.filter((file) => !isIn(copied, file))).toEqual([]);
});

test('`alfred` in the image is the command line of /app, with its arguments as they are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'alfred-image-'));
  const file = join(folder, 'alfred');
  const dockerfile = read('deploy/docker/Dockerfile');
  const command = /&& (printf .* && chmod 755 \S+)/.exec(dockerfile)?.[1] ?? '';
  // As the build runs it, with this clone in place of /app.
  const here = command.replaceAll('/usr/local/bin/alfred', file).replace('/app/', root);
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  const run = (program: string, args: string[]) => spawnSync(program, args, { cwd: folder, encoding: 'utf8', env });
  expect(run('sh', ['-c', here])).toMatchObject({ status: 0, stderr: '' });
  const launched = run(file, ['tasks', 'two  words', '*']);
  expect(launched).toMatchObject({ status: 2, stdout: '' });
  expect(launched.stderr).toContain("`alfred tasks` has no command 'two  words'");
  await rm(folder, { recursive: true });
});

test('the build context contains everything that is copied or that builds the bundle', async () => {
  expect(everything).toBe('*');
  expect(included.filter((line) => !line.startsWith('!'))).toEqual([]);
  const files = await loadedFiles('deploy/docker/build-bundle.ts', 'workflows/index.ts');
  expect(files).toEqual(expect.arrayContaining(['workers/bundle.ts', 'contract/ids.ts']));
  expect([...copied, ...files].filter((file) => !isIn(context, file))).toEqual([]);
});
