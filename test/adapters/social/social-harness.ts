import { createSocial, type SocialDeps } from '../../../adapters/social/social.ts';
import type { SocialQuery } from '../../../contract/ports/index.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createMetrics } from '../../../runtime/metrics.ts';

export const now = Date.parse('2026-11-20T12:00:00Z');
export const query = (more: Partial<SocialQuery> = {}): SocialQuery => ({
  since: '2026-11-01T00:00:00.000Z',
  limit: 50,
  ...more,
});
export const never = new AbortController().signal;

/** The sources as a worker has them, with a clock that a test moves, and what they log and count. */
export function socialWith(settings: Record<string, string> = {}, more: Partial<SocialDeps> = {}) {
  const metrics = createMetrics();
  const logged: unknown[] = [];
  const clock = { now };
  const social = createSocial({
    config: loadConfig({
      DATABASE_URL: 'postgres://x:y@127.0.0.1:1/z',
      ALFRED_OUTBOUND_ALLOW: '127.0.0.1',
      SOCIAL_CACHE_S: '0',
      ...settings,
    }),
    log: { warn: (...line: unknown[]) => void logged.push(line) },
    metrics,
    now: () => clock.now,
    ...more,
  });
  const counted = async (source: string) =>
    Object.fromEntries(
      (await metrics.socialRequests.get()).values
        .filter(({ labels }) => labels.source === source)
        .map(({ labels, value }) => [String(labels.outcome), value]),
    );
  return { social, logged, clock, counted, metrics };
}
