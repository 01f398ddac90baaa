/** Slack's limits: https://docs.slack.dev/apis/web-api/rate-limits. Calls a minute, for each method and workspace. */
const tier = { 1: 1, 2: 20, 3: 50, 4: 100 } as const;

const perMinute: Record<string, number> = {
  'assistant.threads.setStatus': 600,
  'assistant.threads.setSuggestedPrompts': tier[4],
  'assistant.threads.setTitle': tier[4],
  'auth.test': tier[4],
  'chat.appendStream': tier[4],
  'chat.delete': tier[3],
  'chat.getPermalink': tier[4],
  'chat.postEphemeral': tier[4],
  /** Slack says "several hundred". */
  'chat.postMessage': 200,
  'chat.startStream': tier[2],
  'chat.stopStream': tier[2],
  'chat.update': tier[3],
  'conversations.history': tier[3],
  'conversations.info': tier[3],
  'conversations.members': tier[4],
  'conversations.open': tier[3],
  'conversations.replies': tier[3],
  'files.completeUploadExternal': tier[4],
  'files.getUploadURLExternal': tier[4],
  'files.info': tier[4],
  'reactions.add': tier[3],
  'reactions.remove': tier[2],
  'users.info': tier[4],
  'users.lookupByEmail': tier[3],
  'views.open': tier[4],
  'views.publish': tier[4],
  'views.update': tier[4],
};

/** Of these a channel takes one a second. */
const paced = new Set(['chat.postMessage', 'chat.postEphemeral', 'chat.startStream']);
/** Slack answers 429 to these for one channel alone. */
const limitedByChannel = new Set(['chat.postMessage', 'chat.postEphemeral']);

/** Above a second, because calls do not arrive as evenly as they are sent. */
const channelIntervalMs = 1_050;
const minuteMs = 60_000;

/** `intervalMs`: from one call to the next in the long run. `burst`: so many may be made at once after a quiet time. */
export type Limit = { key: string; intervalMs: number; burst: number };

type Counted = { team: string; method: string; channel?: string };

/**
 * The limits that a call counts against.
 *
 * @returns `blocked`: the one that is closed when Slack answers 429
 */
export function limitsOf({ team, method, channel }: Counted): { all: Limit[]; blocked: Limit } {
  const most = perMinute[method] ?? tier[3];
  const burst = Math.max(1, Math.floor(most / 4));
  // In any minute at most a burst and the calls at even distances, which are `most` together.
  const ofMethod = { key: `${team} ${method}`, intervalMs: minuteMs / Math.max(1, most - burst), burst };
  if (channel === undefined || !paced.has(method)) return { all: [ofMethod], blocked: ofMethod };
  const ofChannel = { key: `${team} ${channel}`, intervalMs: channelIntervalMs, burst: 1 };
  return { all: [ofMethod, ofChannel], blocked: limitedByChannel.has(method) ? ofChannel : ofMethod };
}
