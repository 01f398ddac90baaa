import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { person } from '../support/principals.ts';
import { createApiKeys } from '../../adapters/postgres/identity/api-keys.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

const explain = (...args: string[]) => {
  const { DATABASE_URL, ALFRED_DATA_DIR } = env.config;
  return alfred(['authz', 'explain', ...args], { DATABASE_URL, ALFRED_DATA_DIR, NO_COLOR: '1' });
};

test('says which line decides for each relation, with the roles that the database knows', async () => {
  await env.postgres.pool.query(
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
     values ('acme', 'ada', 'person', '{operator}', now(), now())`,
  );
  const { code, stdout, stderr } = await explain('ada', 'cancel', 'task', '--tenant', 'acme');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('ada has the roles operator.');
  expect(stdout).toMatch(/^tenant {2,}yes {2,}operator \/ tenant \/ task$/m);
  expect(stdout).toMatch(/^public {2,}no {2,}no line allows it: 404/m);
  // Of another tenant nothing is known.
  const unknown = await explain('ada', 'cancel', 'task');
  expect(unknown.stderr).toContain('knows no sign-in of ada');
  expect(unknown.stdout).toMatch(/^tenant {2,}no /m);
});

test('of a key: with the roles that it has now, and without what no key may; --json has the same', async () => {
  const secret = { id: '0123456789abcdef', hash: Buffer.alloc(32) };
  await createApiKeys(env.postgres.db).create(person('ada'), { name: 'k', roles: ['admin'], scopes: [] }, secret);
  const { stdout } = await explain('key:0123456789abcdef', 'see', 'key', '--relation', 'tenant', '--json');
  expect(JSON.parse(stdout)).toEqual({
    subject: 'key:0123456789abcdef',
    roles: ['admin'],
    isKnown: true,
    action: 'see',
    resource: 'key',
    decisions: [
      {
        relation: 'tenant',
        allowed: false,
        line: null,
        code: 'role_missing',
        explanation: expect.stringContaining('403'),
      },
    ],
  });
});

test('the role agent stays with a key whose creator lacks it, and comes to the keys of a creator who gets it', async () => {
  const keys = createApiKeys(env.postgres.db);
  const token = (subject: string, roles: string) =>
    env.postgres.pool.query(
      `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
       values ('local', $1, 'person', $2, now(), now())`,
      [subject, roles],
    );
  await token('fay', '{clerk}');
  await token('gus', '{agent}');
  const made = (subject: string, id: string, roles: string[]) =>
    keys.create(person(subject), { name: 'k', roles, scopes: [] }, { id, hash: Buffer.alloc(32) });
  await made('fay', '00000000000000f1', ['agent', 'clerk', 'boss']);
  await made('gus', '00000000000000f2', ['clerk']);
  const rolesOf = async (id: string) => (await keys.find(id))?.principal.roles;
  expect([await rolesOf('00000000000000f1'), await rolesOf('00000000000000f2')]).toEqual([
    ['agent', 'clerk'],
    ['agent'],
  ]);
});

test('a word that the policy does not know is refused, with those that it knows', async () => {
  const { code, stderr } = await explain('ada', 'peek', 'task');
  expect(code).toBe(2);
  expect(stderr).toMatch(/see, read, create/);
});
