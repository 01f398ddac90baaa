import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { isAlive } from '../../deploy/local/process-table.ts';
import { freePort } from '../../deploy/local/ports/ports.ts';
import { dataFolders, startLocal, stopLocal, type LocalStack } from './local-stack.ts';

const folders = dataFolders();
afterAll(() => folders.removeAll());
const ready = 'Ctrl-C ends it.';

async function unusualPorts() {
  const names = ['ALFRED_API_PORT', 'ALFRED_TEMPORAL_PORT', 'ALFRED_TEMPORAL_UI_PORT', 'ALFRED_POSTGRES_PORT'];
  const ports = await Promise.all(names.map(() => freePort()));
  return Object.fromEntries(names.map((name, index) => [name, ports[index]]));
}

async function query(stack: LocalStack, statement: string) {
  const client = new pg.Client({ connectionString: stack.run().environment.DATABASE_URL });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('npm start, from an empty folder over a kill to a clean end', () => {
  let dir: string;
  let stack: LocalStack;

  beforeAll(async () => {
    dir = await folders.make();
    // Ports that no other test looks for, so that they are free for the second start too.
    writeFileSync(join(dir, 'ports.json'), JSON.stringify(await unusualPorts()));
    stack = startLocal(dir);
    await stack.waitForOutput(ready);
    await query(stack, 'create table witness as select 1 as here');
  });

  test('it becomes ready and reports how long it took', async () => {
    const { apiUrl } = stack.run();
    expect((await fetch(`${apiUrl}/healthz`)).status).toBe(200);
    const metrics = await (await fetch(`${apiUrl}/metrics`)).text();
    const seconds = Number(/^cold_start_seconds (\S+)$/m.exec(metrics)?.[1]);
    expect(seconds).toBeGreaterThan(0.5);
    expect(seconds).toBeLessThan(75);
    process.stdout.write(`cold_start_seconds ${seconds}\n`);
    for (const name of ['Temporal', 'Postgres', 'Migrations', 'Search attributes', 'Workers', 'API']) {
      expect(stack.output()).toMatch(new RegExp(`^${name} ready: \\d+\\.\\d s`, 'm'));
    }
  });

  test('the password is readable by its owner only and does not appear in the output', () => {
    for (const file of ['run.json', 'postgres/password']) expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
    const password = new URL(stack.run().environment.DATABASE_URL ?? '').password;
    expect(password.length).toBeGreaterThan(20);
    expect(stack.output()).not.toContain(password);
  });

  test('a second start in the same clone is refused with the address of the first', async () => {
    const { code, output } = await startLocal(dir).ended;
    expect(code).toBe(1);
    expect(output).toContain(`runs in this clone already, at ${stack.run().apiUrl}`);
    expect(output).not.toMatch(/^\s+at /m);
  });

  test('--fresh is refused while the stack runs', async () => {
    const { code, output } = await startLocal(dir, { args: ['--fresh', '--yes'] }).ended;
    expect(code).toBe(1);
    expect(output).toContain('--fresh deletes the data of the stack that runs');
    expect(await query(stack, 'select here from witness')).toEqual([{ here: 1 }]);
  });

  test('after kill -9 of the stack, the next start ends its orphans, keeps the ports and finds all data', async () => {
    const before = stack.run();
    process.kill(before.pid, 'SIGKILL');
    await stack.ended;
    expect(before.children.map(({ pid }) => isAlive(pid))).toEqual([true, true]);

    stack = startLocal(dir);
    await stack.waitForOutput(ready);
    expect(before.children.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
    expect(stack.run().apiUrl).toBe(before.apiUrl);
    expect(stack.run().environment).toEqual(before.environment);
    expect(await query(stack, 'select here from witness')).toEqual([{ here: 1 }]);
  });

  test('after kill -9 of the stack and its servers, the data are recovered', async () => {
    const { pid, children } = stack.run();
    for (const victim of [pid, ...children.map((child) => child.pid)]) process.kill(victim, 'SIGKILL');
    await stack.ended;
    stack = startLocal(dir);
    await stack.waitForOutput(ready);
    expect(await query(stack, 'select here from witness')).toEqual([{ here: 1 }]);
  });

  test('after SIGTERM the stack drains, exits with code 0 and leaves no process and no run file', async () => {
    const { pid, children } = stack.run();
    const { code, output } = await stopLocal(stack);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Stopped. All data are kept.') });
    expect([pid, ...children.map((child) => child.pid)].filter(isAlive)).toEqual([]);
    expect(existsSync(join(dir, 'run.json'))).toBe(false);
  });

  test('--fresh --yes deletes the data; when a server dies, the stack ends and names it', async () => {
    stack = startLocal(dir, { args: ['--fresh', '--yes'] });
    await stack.waitForOutput(ready);
    await expect(query(stack, 'select here from witness')).rejects.toThrow('does not exist');

    const temporal = stack.run().children.find(({ name }) => name === 'Temporal')?.pid ?? 0;
    process.kill(temporal, 'SIGKILL');
    const { code, output } = await stack.ended;
    expect(code).toBe(1);
    expect(output).toContain('Temporal ended unexpectedly (signal SIGKILL)');
    expect(existsSync(join(dir, 'run.json'))).toBe(false);
  });
});

test('two stacks that start at the same time use different ports', async () => {
  const stacks = (await Promise.all([folders.make(), folders.make()])).map((dir) => startLocal(dir));
  await Promise.all(stacks.map((stack) => stack.waitForOutput(ready)));
  const [first, second] = stacks.map((stack) => stack.run().environment);
  for (const name of ['ALFRED_API_PORT', 'TEMPORAL_ADDRESS', 'TEMPORAL_UI_URL', 'DATABASE_URL'])
    expect(first?.[name]).not.toBe(second?.[name]);
  expect(stacks.map((stack) => stack.output()).join('')).toMatch(/Note: the API is on port \d+: 8080 is taken/);
  const ends = await Promise.all(stacks.map(stopLocal));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
});
