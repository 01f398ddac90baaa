import { expect, test } from '@jest/globals';
import type { SlackUserLinks } from '../../contract/ports/index.ts';
import { createLinkOfPerson } from '../../slack/asking/link-of-person.ts';

const user = { team: 'T1', userId: 'U1', tenant: 'acme' };
type Followed = Awaited<ReturnType<SlackUserLinks['follow']>>;

/** What the log has of a link that an address has made or ended. */
async function logged(followed: Partial<Followed>) {
  const lines: unknown[] = [];
  const counted: string[] = [];
  const linkOf = createLinkOfPerson({
    links: { follow: async () => ({ link: undefined, isAmbiguous: false, changes: [], ...followed }) },
    maxAgeDays: 30,
    onChange: (change) => counted.push(change),
    log: { info: (...line: unknown[]) => void lines.push(line) } as never,
  });
  const link = await linkOf(user, 'ada@example.com');
  return { link, lines, counted };
}

test('what an address has changed is counted, and logged without the address and the subject', async () => {
  const link = { tenant: 'acme', subject: 'ada@example.com', madeBy: 'email', signedInAt: new Date() } as const;
  const { lines, counted, ...found } = await logged({ link, changes: ['ended', 'made'] });
  expect(found.link).toEqual({ state: 'counts', link, isNew: true });
  expect(counted).toEqual(['ended', 'made']);
  expect(lines).toHaveLength(2);
  expect(JSON.stringify(lines)).toContain('"userId":"U1"');
  expect(JSON.stringify(lines)).not.toContain('ada@');
});

test('a person without a link has none, or one that is not clear', async () => {
  expect(await logged({})).toMatchObject({ link: { state: 'none' }, lines: [] });
  expect(await logged({ isAmbiguous: true })).toMatchObject({ link: { state: 'ambiguous' } });
});
