import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSubjects } from '../../../adapters/postgres/identity/subjects.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { person } from '../../support/principals.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

type Token = { at: string; email?: string | null; kind?: 'person' | 'service' };

/** As a process without memory. */
const record = (subject: string, { at, email, kind = 'person' }: Token, domains = ['example.com']) =>
  createSubjects(env.postgres.db, { emailDomains: domains }).record({
    principal: person(subject, { kind }),
    issuer: 'https://id.example.com',
    issuedAt: new Date(at),
    expiresAt: new Date(at),
    namesGroups: false,
    email,
  });
const addressOf = async (subject: string) => {
  const { rows } = await env.postgres.pool.query('select email, email_at from subjects where subject = $1', [subject]);
  return [rows[0]?.email, rows[0]?.email_at?.toISOString()];
};
const [monday, tuesday] = ['2026-11-02T08:00:00.000Z', '2026-11-03T08:00:00.000Z'];

test('the newest token that says something of the address counts', async () => {
  await record('ada', { at: monday, email: 'Ada@Example.com' });
  expect(await addressOf('ada')).toEqual(['ada@example.com', monday]);
  // One of a client without the scope `email`.
  await record('ada', { at: tuesday });
  expect(await addressOf('ada')).toEqual(['ada@example.com', monday]);
  await record('ada', { at: tuesday, email: 'countess@example.com' });
  await record('ada', { at: monday, email: 'ada@example.com' });
  expect(await addressOf('ada')).toEqual(['countess@example.com', tuesday]);
  await record('ada', { at: tuesday, email: null });
  expect(await addressOf('ada')).toEqual([null, undefined]);
});

test('a process that has seen the address takes a change of the next token over', async () => {
  const subjects = createSubjects(env.postgres.db, { emailDomains: ['example.com'] });
  const token = {
    principal: person('eve'),
    issuer: 'https://id.example.com',
    expiresAt: new Date(tuesday),
    namesGroups: false,
  };
  for (const email of ['eve@example.com', 'eva@example.com', null]) {
    await subjects.record({ ...token, issuedAt: new Date(monday), email });
    expect((await addressOf('eve'))[0]).toBe(email);
  }
});

test('addresses of other domains, of programs, and where the setting is off are not kept', async () => {
  await record('bert', { at: monday, email: 'bert@example.net' });
  await record('robot', { at: monday, email: 'robot@example.com', kind: 'service' });
  await record('cora', { at: monday, email: 'cora@example.com' });
  expect((await addressOf('cora'))[0]).toBe('cora@example.com');
  await record('cora', { at: monday }, []);
  for (const subject of ['bert', 'robot', 'cora']) expect(await addressOf(subject)).toEqual([null, undefined]);
});
