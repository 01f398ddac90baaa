import { afterEach, expect, test } from '@jest/globals';
import { createHubSpot } from '../../../adapters/crm/hubspot.ts';
import type { DueContact } from '../../../contract/ports/index.ts';
import { startWireServer } from '../../support/fakes/wire-server.ts';
import { hubSpotToken, refusedDomain, startFakeHubSpot, type FakeHubSpot } from '../../support/fakes/fake-hubspot.ts';

let hubSpot: FakeHubSpot;
afterEach(() => hubSpot?.close());

const start = async (options: Parameters<typeof startFakeHubSpot>[0] = {}, token = hubSpotToken) => {
  hubSpot = await startFakeHubSpot(options);
  return createHubSpot({ tenant: 'local', token, url: hubSpot.url });
};
const body = (email: string, more: object = {}) => ({
  name: null,
  firstName: null,
  lastName: null,
  emails: [email],
  phones: [],
  company: null,
  title: null,
  country: null,
  custom: {},
  ...more,
});
const contact = (id: string, email = `${id}@example.com`, more: object = {}): DueContact => ({
  id,
  revision: 1,
  body: body(email, more),
});
const signal = new AbortController().signal;
const refused = 'HubSpot refused it: VALIDATION_ERROR.';

test('contacts are written with what is known, and confirmed with their ids', async () => {
  const crm = await start();
  const more = { name: 'Ann van Lee', phones: ['+4930901820'], company: 'Acme', title: 'Buyer', country: 'DE' };
  expect(await crm.upsert([contact('a', 'ann@example.com', more), contact('b')], signal)).toEqual([
    { id: 'a', revision: 1, crmId: '101' },
    { id: 'b', revision: 1, crmId: '102' },
  ]);
  expect(hubSpot.contacts.get('ann@example.com')?.properties).toEqual({
    email: 'ann@example.com',
    phone: '+4930901820',
    company: 'Acme',
    country: 'DE',
    jobtitle: 'Buyer',
    firstname: 'Ann van',
    lastname: 'Lee',
  });
  expect(hubSpot.contacts.get('b@example.com')?.properties).toEqual({ email: 'b@example.com' });
});

test.each([
  ['names it', { namesInputs: true }, []],
  ['names none', { namesInputs: false }, []],
  ['refuses the batch whole', {}, Array.from({ length: 20 }, () => 'whole' as const)],
])('one wrong contact fails alone when the answer %s', async (_, options, faults) => {
  const crm = await start(options);
  hubSpot.fail(...faults);
  const contacts = ['a', 'b', 'c', 'd', 'e'].map((id) => contact(id, id === 'c' ? `c${refusedDomain}` : undefined));
  const answers = await crm.upsert(contacts, signal);
  expect(answers.find(({ id }) => id === 'c')).toEqual({ id: 'c', revision: 1, error: refused });
  expect(answers.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect([...hubSpot.contacts.values()].map(({ writes }) => writes)).toEqual([1, 1, 1, 1]);
});

test('a limit is an error with the pause that HubSpot asks for, and nothing of what was sent', async () => {
  const crm = await start({ retryAfterS: 7 });
  hubSpot.fail('limit');
  const error = await crm.upsert([contact('a')], signal).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'crm_unavailable', retryAfterMs: 7_000, cause: undefined });
  expect(String((error as Error).stack)).not.toContain('a@example.com');
});

test('a wrong token, a broken answer and a server that is away are errors that say what to do', async () => {
  const wrong = await start({}, 'pat-wrong');
  await expect(wrong.upsert([contact('a')], signal)).rejects.toThrow('HubSpot refuses HUBSPOT_ACCESS_TOKEN');
  await hubSpot.close();
  await expect(wrong.upsert([contact('a')], signal)).rejects.toMatchObject({ code: 'crm_unavailable' });
  const crm = await start();
  hubSpot.fail('lost');
  await expect(crm.upsert([contact('a')], signal)).rejects.toThrow('HubSpot answered 502');
  expect(await crm.upsert([contact('a')], signal)).toHaveLength(1);
  expect(hubSpot.contacts.size).toBe(1);
});

test('a server that never answers is one that is away, and refuses no contact', async () => {
  const silent = await startWireServer(() => ({ frames: ['never sent'], wire: { stallAfter: 0 } }));
  try {
    const crm = createHubSpot({ tenant: 'local', token: hubSpotToken, url: silent.url, timeoutMs: 50 });
    await expect(crm.upsert([contact('a')], signal)).rejects.toMatchObject({ code: 'crm_unavailable' });
  } finally {
    await silent.close();
  }
});

test('what HubSpot has taken is an answer, also when it is away for the others', async () => {
  const crm = await start();
  hubSpot.fail('whole', 'whole', 'limit');
  const contacts = [contact('a'), contact('b'), contact('c', `c${refusedDomain}`)];
  const answers = await crm.upsert(contacts, signal);
  expect(answers.map(({ id }) => id)).toEqual(['a', 'b']);
});
