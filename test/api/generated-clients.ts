import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';

const run = promisify(execFile);
const binaryOf = (name: string, path: string) =>
  join(createRequire(import.meta.url).resolve(`${name}/package.json`), '..', path);

/** A program as a user of openapi-fetch writes it. It prints what it got. */
const fetchProgram = `
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type TaskEvent = components['schemas']['TaskEvent'];
const textOf = (event: TaskEvent): string => {
  switch (event.type) {
    case 'text.delta': return event.data.text;
    case 'task.failed': return event.data.error.code;
    default: return '';
  }
};
const client = createClient<paths>({ baseUrl: process.argv[2]! });
const created = await client.POST('/v1/tasks', { body: { input: { text: 'When?' }, metadata: { from: 'fetch' } } });
if (!created.data) throw new Error(created.error.detail);
const { id } = created.data;
const read = await client.GET('/v1/tasks/{id}', { params: { path: { id }, header: { prefer: 'wait=30' } } });
const ids: string[] = [];
let cursor: string | null = null;
do {
  const page: { data?: components['schemas']['TaskList'] } = await client.GET('/v1/tasks', {
    params: { query: { limit: 1, ...(cursor === null ? {} : { cursor }) } },
  });
  ids.push(...(page.data?.tasks ?? []).map((task) => task.id));
  cursor = page.data?.nextCursor ?? null;
} while (cursor !== null && ids.length < 3);
const events = await client.GET('/v1/tasks/{id}/events/page', { params: { path: { id } } });
const missing = await client.GET('/v1/tasks/{id}', { params: { path: { id: '0190a1b2-0000-7000-8000-000000000000' } } });
const code: components['schemas']['ErrorCode'] | undefined = missing.error?.code;
const { data: stream } = await client.GET('/v1/tasks/{id}/events', { params: { path: { id } }, parseAs: 'stream' });
let frames = '';
for await (const piece of stream as unknown as AsyncIterable<Uint8Array>) frames += new TextDecoder().decode(piece);
console.log(JSON.stringify({
  status: read.data?.status,
  text: (events.data?.events ?? []).map(textOf).join(''),
  pages: ids.length,
  code: code === 'not_found' ? code : 'another',
  isEnded: frames.includes('event: task.completed'),
}));
`;

/** The same as a user of @hey-api/openapi-ts writes it. */
const heyProgram = `
import { client } from './hey/client.gen.js';
import { createTask, followTask, getTask, listTasks } from './hey/sdk.gen.js';
import type { ErrorCode, TaskEvent } from './hey/types.gen.js';

client.setConfig({ baseUrl: process.argv[2]! as never });
const created = await createTask({ body: { input: { text: 'When?' } } });
if (!created.data) throw new Error('no task');
const { id } = created.data;
const read = await getTask({ path: { id }, headers: { prefer: 'wait=30' } });
const first = await listTasks({ query: { limit: 1 } });
const second = await listTasks({ query: { limit: 1, cursor: first.data?.nextCursor ?? '' } });
const missing = await getTask({ path: { id: '0190a1b2-0000-7000-8000-000000000000' } });
const code: ErrorCode | undefined = missing.error?.code;
let text = '';
let last = '';
const { stream } = await followTask({ path: { id } });
for await (const event of stream as AsyncGenerator<TaskEvent>) {
  if (event.type === 'text.delta') text += event.data.text;
  last = event.type;
  if (event.type === 'task.completed') break;
}
console.log(JSON.stringify({
  status: read.data?.status,
  text,
  pages: (first.data?.tasks.length ?? 0) + (second.data?.tasks.length ?? 0),
  code: code === 'not_found' ? code : 'another',
  isEnded: last === 'task.completed',
}));
process.exit(0);
`;

/** Generates clients from the document with both generators, and compiles them with a program each, under `strict`. */
export async function generateClients(document: object) {
  const folder = await mkdtemp(join(tmpdir(), 'alfred-clients-'));
  const at = (...path: string[]) => join(folder, ...path);
  await Promise.all([
    symlink(resolve('node_modules'), at('node_modules')),
    writeFile(at('package.json'), '{"type": "module"}'),
    writeFile(at('openapi.json'), JSON.stringify(document)),
    writeFile(at('fetch.ts'), fetchProgram),
    writeFile(at('hey.ts'), heyProgram),
    writeFile(
      at('openapi-ts.config.mjs'),
      `export default { input: 'openapi.json', output: { path: 'hey', importFileExtension: '.js', module: { extension: '.js' } }, logs: { level: 'silent' } };`,
    ),
  ]);
  const node = (binary: string, ...args: string[]) => run(process.execPath, [binary, ...args], { cwd: folder });
  await node(binaryOf('openapi-typescript', 'bin/cli.js'), 'openapi.json', '-o', 'schema.ts');
  await node(binaryOf('@hey-api/openapi-ts', 'bin/run.js'));
  return {
    /** What the compiler says; empty when all is well. */
    faults: compile(folder, [at('fetch.ts'), at('hey.ts')]),
    /** Runs a program against the API. @returns what it prints */
    run: async (program: 'fetch' | 'hey', url: string): Promise<unknown> =>
      JSON.parse((await node(at('out', `${program}.js`), url)).stdout),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function compile(folder: string, files: string[]): string[] {
  const program = ts.createProgram(files, {
    strict: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
    types: ['node'],
    typeRoots: [join(folder, 'node_modules/@types')],
    skipLibCheck: true,
    rootDir: folder,
    outDir: join(folder, 'out'),
  });
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(
    ({ file, messageText }) =>
      `${file?.fileName.split('/').at(-1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}
