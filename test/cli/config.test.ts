import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configPage } from '../../cli/config-page.ts';
import { alfred } from './run-alfred.ts';

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'alfred-config-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

test('docs/configuration.md is what `npm run docs:config` writes', async () => {
  expect(await readFile('docs/configuration.md', 'utf8')).toBe(configPage());
});

test('the configuration is printed with secrets masked', async () => {
  const environment = {
    ALFRED_DATA_DIR: dataDir,
    DATABASE_URL: 'postgres://alfred:hunter2@db:5432/alfred',
    ANTHROPIC_API_KEY: 'sk-ant-secret',
    ALFRED_API_PORT: '9000',
    ALFRED_TENANTS: '{ "acme": { "fairnessWeight": 2 } }',
  };
  const { code, stdout, stderr } = await alfred(['config'], environment);
  expect(code).toBe(0);
  expect(stdout + stderr).not.toMatch(/hunter2|sk-ant-secret/);
  expect(stdout).toMatch(/DATABASE_URL +postgres:\/\/alfred:\*+@db:5432\/alfred +environment/);
  expect(stdout).toMatch(/ALFRED_API_PORT +9000 +environment/);
  expect(stdout).toMatch(/ALFRED_TENANTS +\{"acme":\{"fairnessWeight":2\}\} +environment/);
  const json = await alfred(['config', '--json'], environment);
  expect(JSON.parse(json.stdout)).toContainEqual(
    expect.objectContaining({ name: 'ANTHROPIC_API_KEY', value: '********', source: 'environment' }),
  );
});

test('an invalid configuration is reported with all faults at once, and without secrets', async () => {
  const { code, stderr } = await alfred(['config'], {
    ALFRED_DATA_DIR: dataDir,
    ALFRED_API_PORT: 'eighty',
    TEMPORAL_ADDRESS: 'nowhere',
    DATABASE_URL: 'mysql://a:hunter2@b/c',
  });
  expect(code).toBe(2);
  for (const name of ['ALFRED_API_PORT', 'TEMPORAL_ADDRESS', 'DATABASE_URL']) expect(stderr).toContain(name);
  expect(stderr).not.toContain('hunter2');
});
