import { expect, test } from '@jest/globals';
import type { Scope } from '../../contract/references.ts';
import { createLinkCommands } from '../../slack/commands/link-commands.ts';

type Deps = Parameters<typeof createLinkCommands>[0];

const none = { OIDC_ISSUER: undefined, ALFRED_PUBLIC_URL: undefined };
const all = { OIDC_ISSUER: 'https://idp.example.com', ALFRED_PUBLIC_URL: 'https://alfred.example.com' };

test.each([
  [none, ['OIDC_ISSUER', 'ALFRED_PUBLIC_URL']],
  [{ ...all, ALFRED_PUBLIC_URL: undefined }, ['ALFRED_PUBLIC_URL']],
  [{ ...all, OIDC_ISSUER: undefined }, ['OIDC_ISSUER']],
])('with %o names what is missing, and stores nothing', async (settings, missing) => {
  const begun: unknown[] = [];
  const commands = createLinkCommands({
    config: settings as Deps['config'],
    linking: { begin: async (...given: unknown[]) => void begun.push(given) },
    links: { find: async (): Promise<Scope | undefined> => undefined },
  } as unknown as Deps);
  const { text } = await commands.link({ team: 'T1', userId: 'U1', principal: {} as never }, '');
  expect(text.match(/`[A-Z_]+`/g)).toEqual(missing.map((name) => `\`${name}\``));
  expect(begun).toEqual([]);
});
