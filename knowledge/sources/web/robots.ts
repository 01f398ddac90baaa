import { LRUCache } from 'lru-cache';
import robotsParserModule from 'robots-parser';
import { AlfredError } from '../../../contract/errors.ts';
import type { Rules, WebClient } from './web-client.ts';

// Its types say that there is a default export inside; the module is the function itself.
const robotsParser = robotsParserModule as unknown as typeof robotsParserModule.default;

/** The name by which robots.txt knows us. */
const agent = 'Alfred';
/** Between two looks at a robots.txt; a sync begins with one. */
const keptMs = 600_000;
const longestDelayMs = 10_000;
/** RFC 9309, 2.5: at least so much of it is read. */
const maxCharacters = 500 * 1_024;

const everything: Rules = { isAllowed: () => true, delayMs: 0 };

/** What hosts allow, as RFC 9309 says. */
export function createRobots(client: WebClient) {
  const kept = new LRUCache<string, Rules>({ max: 1_000, ttl: keptMs });

  async function read(origin: string, signal: AbortSignal): Promise<Rules> {
    const address = `${origin}/robots.txt`;
    const { status, text } = await client.get({ url: address, signal, rulesOf: async () => everything });
    // 2.3.1.4: a server that is broken may have rules that one cannot read now.
    if (status >= 500)
      throw new AlfredError(
        'source_unreachable',
        `robots.txt of ${new URL(origin).host} could not be read (${status}), and without it nothing is.`,
      );
    if (status >= 300) return everything;
    const rules = robotsParser(address, text.slice(0, maxCharacters));
    return {
      isAllowed: (url) => rules.isAllowed(url, agent) ?? true,
      delayMs: Math.min(longestDelayMs, Math.max(0, rules.getCrawlDelay(agent) ?? 0) * 1_000),
    };
  }

  return {
    /** @throws AlfredError `source_unreachable` and what the client throws */
    async rulesOf({ origin }: URL, signal: AbortSignal): Promise<Rules> {
      const rules = kept.get(origin) ?? (await read(origin, signal));
      kept.set(origin, rules, { noUpdateTTL: true });
      return rules;
    },
    /** Has the next look be a fresh one. */
    forget: ({ origin }: URL) => void kept.delete(origin),
  };
}
