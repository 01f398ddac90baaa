import { LRUCache } from 'lru-cache';
import robotsParserModule from 'robots-parser';
import { AlfredError } from '../../../contract/errors.ts';
import type { RobotsRules, WebClient } from './web-client.ts';

// The package's types declare a default export, but the module is the function itself.
const robotsParser = robotsParserModule as unknown as typeof robotsParserModule.default;

/** Our product token in robots.txt. */
const userAgent = 'Alfred';
/** How long the rules of a host are cached. Each sync of a source reads them again. */
const cacheMs = 600_000;
const maxDelayMs = 10_000;
/** RFC 9309, 2.5 requires that at least 500 KiB are read. */
const maxCharacters = 500 * 1_024;

const allowAll: RobotsRules = { isAllowed: () => true, delayMs: 0 };

/** The rules of hosts, read from their robots.txt (RFC 9309). */
export function createRobots(client: WebClient) {
  const cache = new LRUCache<string, RobotsRules>({ max: 1_000, ttl: cacheMs });

  async function read(origin: string, signal: AbortSignal): Promise<RobotsRules> {
    const address = `${origin}/robots.txt`;
    const { status, text } = await client.get({ url: address, signal, rulesOf: async () => allowAll });
    // RFC 9309, 2.3.1.4: while the server fails, all access counts as forbidden.
    if (status >= 500)
      throw new AlfredError(
        'source_unreachable',
        `robots.txt of ${new URL(origin).host} could not be read (${status}), and without it nothing is.`,
      );
    if (status >= 300) return allowAll;
    const rules = robotsParser(address, text.slice(0, maxCharacters));
    return {
      isAllowed: (url) => rules.isAllowed(url, userAgent) ?? true,
      delayMs: Math.min(maxDelayMs, Math.max(0, rules.getCrawlDelay(userAgent) ?? 0) * 1_000),
    };
  }

  return {
    /** @throws AlfredError `source_unreachable` and what the client throws */
    async rulesOf({ origin }: URL, signal: AbortSignal): Promise<RobotsRules> {
      const rules = cache.get(origin) ?? (await read(origin, signal));
      cache.set(origin, rules, { noUpdateTTL: true });
      return rules;
    },
    /** Removes a host's rules from the cache. */
    forget: ({ origin }: URL) => void cache.delete(origin),
  };
}
