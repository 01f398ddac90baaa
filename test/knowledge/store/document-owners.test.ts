import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import type { Placement } from '../../../contract/documents.ts';
import type { AlfredError } from '../../../contract/errors.ts';
import type { Documents, FileOutcome } from '../../../contract/ports/index.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { Scope } from '../../../contract/references.ts';
import { documentReachOf } from '../../../contract/rules/policy.ts';
import { migrate } from '../../../runtime/database/migrate.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { plainParser } from '../../support/documents/plain-parser.ts';
import { defaultPlacement, putDocument, sha256 } from '../../support/documents/put-document.ts';
import { person } from '../../support/principals.ts';

let env: TestEnvironment;
let documents: Documents;
beforeAll(async () => {
  env = await createTestEnvironment();
  documents = createDocuments(env.postgres.db);
});
afterAll(() => env?.close());

describe('a document of another person', () => {
  /** Sends a text as an upload of a person would, with what happens while the file is read. */
  async function send(
    principal: Principal,
    name: string,
    text: string,
    { meanwhile, ...placement }: Partial<Placement> & { meanwhile?: () => Promise<unknown> } = {},
  ) {
    const bytes = Buffer.from(text);
    const placed = { ...defaultPlacement, ...placement };
    const ingestionId = await documents.createIngestion(principal, [{ name, mediaType: 'text/plain', bytes }], placed);
    const file = { name, mediaType: 'text/plain', contentHash: sha256(bytes), sizeBytes: bytes.length };
    const outcome = await documents
      .put(principal, {
        file,
        parse: async () => {
          await meanwhile?.();
          return plainParser.parse({ ...file, bytes }, AbortSignal.timeout(5_000));
        },
        placement: placed,
        upload: { ingestionId, ordinal: 0 },
      })
      .catch((error: AlfredError) => error);
    return outcome as FileOutcome & { documentId?: string; code?: string; message?: string };
  }
  const stateOf = async (...sent: Parameters<typeof send>): Promise<string | undefined> => {
    const { state, code } = await send(...sent);
    return state ?? code;
  };
  const textsOf = async (principal: Scope, name: string) => {
    const { documents: listed } = await documents.list(principal, { limit: 500 });
    const found = await Promise.all(
      listed.filter((one) => one.name === name).map(({ id }) => documents.read(principal, id)),
    );
    return found.map((one) => one?.text).sort();
  };
  const remove = (principal: Principal, id = '') => documents.delete(documentReachOf(principal, 'delete'), id);
  const join = (subject: string, group: string) =>
    env.postgres.db.insertInto('group_members').values({ tenant: 'local', subject, group_name: group }).execute();
  const leave = (subject: string) =>
    env.postgres.db.deleteFrom('group_members').where('subject', '=', subject).execute();

  const [ann, bob, dev, admin] = [
    person('ann'),
    person('bob'),
    person('dev', { roles: ['developer'] }),
    person('adm', { roles: ['admin'] }),
  ];

  test('that may be read is neither replaced nor deleted; the same content again is unchanged', async () => {
    const { documentId } = await send(ann, 'plan.txt', 'Of ann.');
    const refused = await send(bob, 'plan.txt', 'Of bob.');
    expect(refused).toMatchObject({
      code: 'document_not_yours',
      message: expect.stringMatching(/added by ann.*another name.*ask its owner/),
    });
    expect(await stateOf(bob, 'plan.txt', 'Of ann.')).toBe('unchanged');
    for (const placement of [{ tags: ['mine'] }, { readers: [] }, { origin: '/bob', replace: true }])
      expect(await stateOf(bob, 'plan.txt', 'Of ann.', placement)).toBe('document_not_yours');
    // A collection with other settings: cutting it again changes it.
    await env.postgres.db
      .updateTable('documents')
      .set({ chunk_tokens: 99 })
      .where('id', '=', documentId ?? '')
      .execute();
    expect(await stateOf(bob, 'plan.txt', 'Of ann.')).toBe('document_not_yours');
    expect(await stateOf(person('ghost', { roles: ['viewer', 'operator'] }), 'plan.txt', 'X')).toBe(
      'document_not_yours',
    );
    expect(await remove(bob, documentId)).toBe(false);
    expect(await documents.get(bob, documentId ?? '')).toMatchObject({ owner: 'ann', version: 1, tags: [] });
    expect(await stateOf(ann, 'plan.txt', 'Of ann, again.')).toBe('replaced');
    expect(await remove(ann, documentId)).toBe(true);
  });

  test('takes nothing in that another person sends, unless that person says so', async () => {
    await send(bob, 'salaries.txt', 'Of bob.', { readers: ['subject:dev'] });
    const refused = await send(dev, 'salaries.txt', 'Of dev.');
    expect([refused.code, refused.message]).toEqual([
      'document_not_yours',
      expect.stringContaining('takes its place (`--replace`), which bob reads then'),
    ]);
    expect(await stateOf(dev, 'salaries.txt', 'Of dev.', { readers: ['subject:dev'], replace: true })).toBe(
      'document_not_yours',
    );
    // The same content with fewer readers than everyone, as the sender means it.
    await send(bob, 'notice.txt', 'Closed.', { readers: ['subject:ann'] });
    expect(await stateOf(ann, 'notice.txt', 'Closed.')).toBe('document_not_yours');
    // A source meets no names of others.
    const file = { tenant: 'local', subject: 'ann' };
    expect((await putDocument(env.postgres.db, 'notice.txt', 'Closed.', { scope: file })).state).toBe('added');
  });

  test('that may be read is replaced and deleted with the role developer or admin, and stays its owner’s', async () => {
    const { documentId } = await send(ann, 'rules.txt', 'Of ann.', { readers: ['everyone'] });
    const replace = true;
    expect(await send(dev, 'rules.txt', 'Of dev.', { replace })).toEqual({ state: 'replaced', documentId });
    expect(await send(admin, 'rules.txt', 'Of admin.', { replace })).toEqual({ state: 'replaced', documentId });
    expect(await documents.get(ann, documentId ?? '')).toMatchObject({ owner: 'ann', version: 3 });
    expect(await stateOf(dev, 'rules.txt', 'More.', { readers: [] })).toBe('document_not_yours');
    // A role that was taken since the upload was sent.
    await env.postgres.db
      .insertInto('subjects')
      .values({
        tenant: 'local',
        subject: 'dev',
        kind: 'person',
        roles: [],
        issued_at: new Date(),
        expires_at: new Date(),
      })
      .execute();
    expect(await stateOf(dev, 'rules.txt', 'Too late.', { replace })).toBe('document_not_yours');
    await env.postgres.db.deleteFrom('subjects').where('subject', '=', 'dev').execute();
    expect(await remove(dev, documentId)).toBe(true);
  });

  test('that may not be read plays no part: the name is free, and each has its own', async () => {
    const hidden = await send(ann, 'secret.txt', 'Of ann.', { readers: [] });
    const sent = await Promise.all([
      send(bob, 'secret.txt', 'Of bob.', { readers: [] }),
      send(bob, 'free.txt', 'Of bob.', { readers: [] }),
    ]);
    expect(sent.map(({ state }) => state)).toEqual(['added', 'added']);
    expect(await stateOf(dev, 'secret.txt', 'Of ann.', { readers: [] })).toBe('added');
    expect(await stateOf(bob, 'secret.txt', 'Of bob, again.')).toBe('replaced');
    expect([await textsOf(ann, 'secret.txt'), await textsOf(bob, 'secret.txt')]).toEqual([
      ['Of ann.'],
      ['Of bob, again.'],
    ]);
    expect([await remove(dev, hidden.documentId), await remove(bob, hidden.documentId)]).toEqual([false, false]);
    expect(await remove({ ...admin, tenant: 'other' }, hidden.documentId)).toBe(false);
    // What a person left behind is deleted by its id.
    expect(await remove(admin, hidden.documentId)).toBe(true);
  });

  test('that is shared later stands beside the own one, and a third person changes neither', async () => {
    await send(ann, 'twins.txt', 'Of ann.', { readers: [] });
    await send(bob, 'twins.txt', 'Of bob.', { readers: [] });
    for (const one of [ann, bob])
      expect(await stateOf(one, 'twins.txt', `Of ${one.subject}.`, { readers: ['everyone'] })).toBe('replaced');
    expect(await textsOf(dev, 'twins.txt')).toEqual(['Of ann.', 'Of bob.']);
    expect(await send(dev, 'twins.txt', 'Of dev.')).toMatchObject({
      code: 'document_not_yours',
      message: expect.stringContaining('ann and bob have each added'),
    });
    expect(await stateOf(dev, 'twins.txt', 'Of bob.')).toBe('unchanged');
    expect(await stateOf(bob, 'twins.txt', 'Of bob, again.')).toBe('replaced');
    expect(await textsOf(dev, 'twins.txt')).toEqual(['Of ann.', 'Of bob, again.']);
    // Pages of one document end between two of one name.
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await documents.list(dev, { limit: 1, ...(cursor ? { cursor } : {}) });
      seen.push(...page.documents.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe((await documents.list(dev, { limit: 500 })).documents.length);
    // A cursor of the version before.
    const old = Buffer.from(JSON.stringify(['twins.txt', 'default'])).toString('base64url');
    const after = await documents.list(dev, { limit: 500, cursor: old });
    expect(after.documents.some(({ name }) => name <= 'twins.txt')).toBe(false);
  });

  test('is not replaced when the right ends while the file is read', async () => {
    await join('dev', 'staff');
    const { documentId } = await send(ann, 'staff.txt', 'Of ann.', { readers: ['group:staff'] });
    const sent = await send(dev, 'staff.txt', 'Of dev.', { replace: true, meanwhile: () => leave('dev') });
    expect(sent.state).toBe('added');
    expect(sent.documentId).not.toBe(documentId);
    expect(await textsOf(ann, 'staff.txt')).toEqual(['Of ann.', 'Of dev.']);
  });

  test('that comes while a file of the same name is read is not replaced', async () => {
    const sent = await send(bob, 'first.txt', 'Of bob.', { meanwhile: () => send(ann, 'first.txt', 'Of ann.') });
    expect(sent.code).toBe('document_not_yours');
    expect(await textsOf(bob, 'first.txt')).toEqual(['Of ann.']);
    const people = Array.from({ length: 12 }, (_, n) => person(`p${n}`));
    const states = await Promise.all(people.map((one) => stateOf(one, 'crowd.txt', `Of ${one.subject}.`)));
    expect(states.filter((state) => state === 'added')).toHaveLength(1);
    expect(states.filter((state) => state === 'document_not_yours')).toHaveLength(11);
  });
});

test('the migration of names keeps every document both ways', async () => {
  const { config, log, postgres } = env;
  const tenant = 'names';
  for (const subject of ['ann', 'bob'])
    await putDocument(env.postgres.db, 'same.txt', `Of ${subject}.`, {
      scope: { tenant, subject },
      placement: { readers: [] },
    });
  const { rows: newest } = await postgres.pool.query<{ seq: number }>('select max(seq) as seq from document_changes');
  let undone: string[] = [];
  while (!undone.includes('0037_document-names-by-owner')) undone = await migrate(config.DATABASE_URL, log, 'down');
  const names = async () => {
    const { rows } = await postgres.pool.query<{ name: string; changed: boolean }>(
      `select name, seq > $2 as changed from documents d join document_changes c on c.document_id = d.id
       where d.tenant = $1 order by d.created_at`,
      [tenant, newest[0]?.seq],
    );
    return rows;
  };
  expect(await names()).toEqual([
    { name: 'same.txt', changed: false },
    { name: expect.stringMatching(/^same\.txt \([0-9a-f-]{36}\)$/), changed: true },
  ]);
  await migrate(config.DATABASE_URL, log);
  expect(await names()).toHaveLength(2);
  expect((await putDocument(postgres.db, 'same.txt', 'Of cy.', { scope: { tenant, subject: 'cy' } })).state).toBe(
    'added',
  );
});
