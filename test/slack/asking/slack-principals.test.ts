import { expect, test } from '@jest/globals';
import type { SlackUserLink } from '../../../contract/ports/index.ts';
import { createLinkOfPerson } from '../../../slack/asking/link-of-person.ts';
import { createSlackPrincipals, type SlackAsker } from '../../../slack/asking/slack-principals.ts';

const asker: SlackAsker = { team: 'T1', channel: 'D1', userId: 'U1', isDirect: true, isExternal: false };
const everywhere = { isOn: true, agent: null, userIds: null, instructions: null };

const link: SlackUserLink = { tenant: 'acme', subject: 'anna', madeBy: 'sign_in', signedInAt: new Date() };

const createStage = (tenant: string) =>
  createSlackPrincipals({
    people: { find: async () => ({ kind: 'member', name: undefined }) },
    linkOf: createLinkOfPerson({
      links: { follow: async () => ({ link, isAmbiguous: false, changes: [] }) },
      maxAgeDays: 1,
      onChange: () => {},
      log: { info: () => {} },
    }),
    rights: { rolesOf: async () => ['admin'] },
    channels: { find: async () => everywhere },
    isShared: async () => false,
    tenantOf: async () => tenant,
  });

test('a link counts for the tenant of the workspace alone', async () => {
  expect(await createStage('acme').judge(asker)).toMatchObject({
    principal: { tenant: 'acme', subject: 'anna', roles: ['admin'] },
  });
  expect(await createStage('globex').judge(asker)).toMatchObject({
    principal: { tenant: 'globex', subject: 'slack:T1:U1', roles: [] },
  });
});
