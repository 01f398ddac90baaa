import { execFileSync } from 'node:child_process';
import { readFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { freePort } from '../../deploy/local/ports/ports.ts';
import { startPostgres, type PostgresServer } from '../../deploy/local/servers/postgres.ts';
import { isAlive } from '../../deploy/local/process-table.ts';
import { dataFolders } from './local-stack.ts';

const folders = dataFolders();
const log = pino({ level: 'silent' });
let dir: string;
let server: PostgresServer;
async function start() {
  server = await startPostgres({ dir, port: await freePort(), sync: false, log });
}

beforeAll(async () => {
  dir = join(await folders.make(), 'postgres');
  // What an interrupted first start leaves behind.
  await mkdir(join(dir, 'data.new'), { recursive: true });
  await writeFile(join(dir, 'data.new', 'PG_VERSION'), '18\n');
  await start();
});
afterAll(async () => {
  await server.stop();
  await folders.removeAll();
});

async function queryRow(statement: string, url = server.url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, string>>(statement)).rows[0];
  } finally {
    await client.end();
  }
}

test('the collation is the same on every machine, and covers Unicode', async () => {
  const row = await queryRow(
    'select pg_encoding_to_char(encoding) as encoding, datlocprovider::text as provider, datlocale as locale from pg_database where datname = current_database()',
  );
  expect(row).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8' });
  expect(await queryRow("select upper('ä') as upper")).toEqual({ upper: 'Ä' });
});

test('it listens on loopback only and requires the password', async () => {
  expect(await queryRow('show listen_addresses')).toEqual({ listen_addresses: '127.0.0.1' });
  const wrong = new URL(server.url);
  wrong.password = 'guess';
  await expect(queryRow('select 1', wrong.toString())).rejects.toMatchObject({ code: '28P01' });
  expect((await stat(join(dir, 'password'))).mode & 0o777).toBe(0o600);
});

test('an orphaned postmaster is ended before another one starts on its data', async () => {
  await queryRow('create table witness as select 1 as here');
  const orphan = server;
  await start();
  expect(isAlive(orphan.pid)).toBe(false);
  expect(await queryRow('select here::text from witness')).toEqual({ here: '1' });
});

test('a lock file whose process id now belongs to another program does not prevent a start', async () => {
  const { pid } = server;
  process.kill(pid, 'SIGKILL');
  await server.child.ended;
  const lock = join(dir, 'data', 'postmaster.pid');
  const text = await readFile(lock, 'utf8');
  await writeFile(lock, text.replace(/^\d+/, String(process.pid)));
  await start();
  expect(await queryRow('select here::text from witness')).toEqual({ here: '1' });
});

test('the error for a taken port names the port, and no server is left running', async () => {
  const other = await folders.make();
  const port = Number(new URL(server.url).port);
  await expect(startPostgres({ dir: other, port, sync: false, log })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken`,
  );
  expect(execFileSync('ps', ['-ww', '-eo', 'args'], { encoding: 'utf8' })).not.toContain(`-D ${other}`);
});
