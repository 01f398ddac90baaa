import { expect, test } from '@jest/globals';
import { createSessionEnd } from '../../../adapters/identity/end-session.ts';
import { hashSessionId, newSessionId } from '../../../adapters/identity/seal.ts';
import type { BrowserSession, BrowserSessions } from '../../../contract/ports/index.ts';

const [id, next] = [newSessionId(), newSessionId()];
const ended = { name: 'n', tenant: 'acme', subject: 'ada' };
const session = { issuer: 'i', sub: 'ada' } as BrowserSession;

function createEnd(find: (name: 'before' | 'next') => BrowserSession | undefined) {
  const calls: string[] = [];
  const nameOf = (hash: Buffer) => (hash.equals(hashSessionId(id)) ? 'before' : 'next');
  const sessions = {
    find: async (hash: Buffer) => {
      calls.push(`find ${nameOf(hash)}`);
      return find(nameOf(hash));
    },
    remove: async (hash: Buffer) => {
      calls.push(`remove ${nameOf(hash)}`);
      return ended;
    },
  } as unknown as BrowserSessions;
  const end = createSessionEnd({
    sessions,
    tokens: { open: () => undefined },
    provider: () => Promise.reject(new Error('The provider is away.')),
    settings: { publicUrl: 'https://alfred.example.com', parameters: {} },
    log: { info: () => undefined },
  });
  return { end, calls };
}

test('the next session is read before the one of before is removed', async () => {
  const { end, calls } = createEnd(() => session);
  expect(await end(id, { replacedBy: next })).toMatchObject({ ended });
  expect(calls).toEqual(['find before', 'find next', 'remove before']);
});

test('a session that cannot be read ends all the same when another takes its place, and what ended is reported', async () => {
  const { end, calls } = createEnd(() => {
    throw new Error('Too many unknown sessions are being checked.');
  });
  expect(await end(id, { replacedBy: next })).toMatchObject({ ended });
  expect(calls.at(-1)).toBe('remove before');
  // Signing out is not for made-up ids: what cannot be read is refused.
  await expect(end(id)).rejects.toThrow('Too many');
});
