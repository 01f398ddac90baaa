import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Tool } from '../../../contract/ports/index.ts';
import type { Principal } from '../../../contract/principal.ts';
import { createTools } from '../../../agents/tools/index.ts';
import { useContacts } from '../../support/contacts/stored-contacts.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../../support/environment/adapter-environment.ts';
import { person } from '../../support/principals.ts';

let env: AdapterEnvironment;
let tool: Tool;
beforeAll(async () => {
  env = await createAdapterEnvironment();
  tool = createTools(env.config, env.adapters)['find_contacts'] as Tool;
  const people = Array.from({ length: 12 }, (_, n) => `Person ${n},p${n}@many.example,,Many`);
  await useContacts(env.adapters).ingest(
    `name,email,phone,company,Secret\nAnn Lee,ann@example.com,+49 30 901820,${'Acme '.repeat(100)},x\n${people.join('\n')}\n`,
  );
});
afterAll(() => env?.close());

/** Looks contacts up in a task of this principal. */
async function find(principal: Principal, input: { query: string; limit?: number }) {
  const { id } = await env.adapters.tasks.create(principal, { agent: 'assistant', input: { text: 'Who?' } }, {});
  const { tenant, subject } = principal;
  return tool.run(input, {
    scope: { tenant, subject },
    taskId: id,
    receiptKey: 'k',
    signal: new AbortController().signal,
    beforeSend: async () => {},
  });
}

test('a member finds few contacts with few, short fields', async () => {
  expect(await find(person('bob'), { query: '030 901820' })).toEqual({
    output: {
      contacts: [
        {
          id: expect.any(String),
          name: 'Ann Lee',
          company: 'Acme '.repeat(24),
          emails: ['ann@example.com'],
          phones: ['+4930901820'],
        },
      ],
    },
    summary: 'contacts found: 1',
  });
  const { output } = await find(person('bob'), { query: 'many', limit: 10 });
  expect(output).toMatchObject({ contacts: { length: 10 }, more: expect.any(String) });
  expect((await find(person('bob'), { query: 'nobody' })).output).toEqual({ contacts: [] });
  await expect(find(person('bob'), { query: 'many', limit: 11 })).rejects.toMatchObject({ code: 'invalid_request' });
});

test('a service, and who belongs to another tenant, finds none', async () => {
  const service = person('robot', { roles: ['agent'], kind: 'service' });
  await expect(find(service, { query: 'ann' })).rejects.toMatchObject({ code: 'role_missing' });
  expect((await find(person('bob', { tenant: 'other' }), { query: 'ann' })).output).toEqual({ contacts: [] });
  // The rights of the moment count, and not those of the request.
  await env.postgres.pool.query(
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
     values ('local', 'eve', 'service', '{agent}', now(), now() + interval '1 hour')`,
  );
  await expect(find(person('eve'), { query: 'ann' })).rejects.toMatchObject({
    code: 'role_missing',
  });
});
