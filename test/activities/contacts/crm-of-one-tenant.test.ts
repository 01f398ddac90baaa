import { beforeEach, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Client } from '@temporalio/client';
import { createContactActivities, type ContactDeps } from '../../../activities/contacts/contact-activities.ts';
import { sweepContacts, type ContactSweepDeps } from '../../../activities/sweep/sweep-contacts.ts';
import { createContactControl, type ContactControlDeps } from '../../../adapters/temporal/contact-control.ts';
import { loadConfig } from '../../../runtime/config.ts';

const woken: string[] = [];
const read: string[] = [];
beforeEach(() => {
  woken.length = 0;
  read.length = 0;
});
const deps = {
  crm: { tenant: 'acme', batchSize: 100, upsert: async () => [] },
  workflows: { syncContacts: async (tenant: string) => void woken.push(tenant) },
  contacts: {
    listDue: async (tenant: string) => (read.push(tenant), []),
    listTenantsDue: async () => ['other', 'acme'],
    undoMerge: async () => ({}),
  },
  contactIngests: { listOpen: async () => [] },
  survey: { runningAmong: async () => new Set() },
};
const signal = new AbortController().signal;

test('contacts of another tenant than that of the CRM are neither asked for nor sent', async () => {
  const activities = createContactActivities(deps as unknown as ContactDeps);
  for (const tenant of ['acme', 'other']) {
    await activities.requestContactSync({ tenant });
    const sent = await new MockActivityEnvironment().run(() => activities.syncContacts({ tenant }));
    expect(sent).toEqual({ confirmed: 0, refused: 0, more: false });
  }
  expect([woken, read]).toEqual([['acme'], ['acme']]);
});

test('the sweep and an undo wake the CRM for its own tenant only', async () => {
  await sweepContacts(deps as unknown as ContactSweepDeps, signal);
  expect(woken).toEqual(['acme']);
  const config = { ALFRED_CRM: 'hubspot', ALFRED_CRM_TENANT: 'acme' };
  const control = createContactControl({ ...deps, config, client: {} as Client } as unknown as ContactControlDeps & {
    readReconciled: never;
  });
  for (const tenant of ['acme', 'other']) await control.undoMerge(tenant, 'a merge');
  expect(woken).toEqual(['acme', 'acme']);
});

test('a CRM without the tenant that it belongs to is refused', () => {
  const settings = { DATABASE_URL: 'postgres://127.0.0.1/alfred', ALFRED_CRM: 'hubspot', HUBSPOT_ACCESS_TOKEN: 'pat' };
  expect(() => loadConfig(settings)).toThrow(/ALFRED_CRM_TENANT is not set: is needed, because ALFRED_CRM is hubspot/);
  expect(loadConfig({ ...settings, ALFRED_CRM_TENANT: 'acme' }).ALFRED_CRM_TENANT).toBe('acme');
});
