import { LRUCache } from 'lru-cache';
import type { BrowserSession, BrowserSessions } from '../../contract/ports/index.ts';
import { createUnknownReads } from './unknown-reads.ts';

/** Bounds reads of sessions that this process does not know: ids in cookies can be made up without an end. */
export function boundUnknownReads(sessions: BrowserSessions): BrowserSessions {
  const known = new LRUCache<string, true>({ max: 10_000 });
  const run = createUnknownReads('sessions');
  /** Pages send several requests at once. What is known is read each time: a refresh needs the newest. */
  const firstReads = new Map<string, Promise<BrowserSession | undefined>>();

  async function readFirst(id: string, read: () => Promise<BrowserSession | undefined>) {
    const reading = firstReads.get(id) ?? run({ isKnown: false }, read).finally(() => firstReads.delete(id));
    firstReads.set(id, reading);
    return reading;
  }

  return {
    ...sessions,

    async add(idHash, session) {
      await sessions.add(idHash, session);
      known.set(idHash.toString('hex'), true);
    },

    async find(idHash, options) {
      const id = idHash.toString('hex');
      const read = () => sessions.find(idHash, options);
      const session = await (known.has(id) ? read() : readFirst(id, read));
      if (session) known.set(id, true);
      else known.delete(id);
      return session;
    },
  };
}
