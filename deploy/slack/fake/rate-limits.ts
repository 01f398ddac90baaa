import type { Clock } from './clock.ts';

/** Calls a minute for each method, workspace and app: https://docs.slack.dev/apis/web-api/rate-limits */
const tiers: Record<string, number> = {
  'apps.connections.open': 50,
  'agents.sessions.rename': 50,
  'agents.sessions.setStatus': 50,
  'assistant.threads.setStatus': 600,
  'assistant.threads.setSuggestedPrompts': 100,
  'assistant.threads.setTitle': 100,
  'chat.appendStream': 100,
  'chat.delete': 50,
  'chat.postEphemeral': 100,
  'chat.startStream': 20,
  'chat.stopStream': 20,
  'chat.update': 50,
  'conversations.history': 50,
  'conversations.info': 50,
  'conversations.list': 20,
  'conversations.members': 100,
  'conversations.open': 50,
  'conversations.replies': 50,
  'files.completeUploadExternal': 100,
  'files.getUploadURLExternal': 100,
  'files.info': 100,
  'reactions.add': 50,
  'reactions.remove': 20,
  'users.info': 100,
  'users.list': 20,
  'users.lookupByEmail': 50,
  'views.open': 100,
  'views.publish': 100,
  'views.push': 100,
  'views.update': 100,
};

const minuteMs = 60_000;

export type RateLimits = {
  /** Counts a call. @returns seconds to wait (`Retry-After`) when the call is refused */
  take(method: string, workspace: string, channel: string | undefined): number | undefined;
};

/**
 * Refuses calls beyond a method's tier, and more than one message a second in a channel.
 *
 * Slack lets short bursts pass and promises nothing about them, so none pass here.
 */
export function createRateLimits(clock: Clock, enabled: () => boolean): RateLimits {
  const calls = new Map<string, number[]>();

  const take = (key: string, limit: number, windowMs: number): number | undefined => {
    const now = clock.now();
    const recent = (calls.get(key) ?? []).filter((at) => at > now - windowMs);
    const oldest = recent[0];
    if (recent.length >= limit && oldest !== undefined)
      return Math.max(1, Math.ceil((oldest + windowMs - now) / 1_000));
    recent.push(now);
    calls.set(key, recent);
    return undefined;
  };

  return {
    take(method, workspace, channel) {
      if (!enabled()) return undefined;
      if (method === 'chat.postMessage') return take(`${method} ${workspace} ${channel ?? ''}`, 1, 1_000);
      const limit = tiers[method];
      return limit === undefined ? undefined : take(`${method} ${workspace}`, limit, minuteMs);
    },
  };
}
