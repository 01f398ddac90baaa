import type { SlackCalls } from '../api-calls/api-calls.ts';

export type BotIdentity = { userId: string; botId: string };

/** Which messages of a workspace are Alfred's own. */
export function createBotIdentities(calls: SlackCalls) {
  const known = new Map<string, BotIdentity>();
  return async function identify(team: string, signal: AbortSignal): Promise<BotIdentity> {
    const identity = known.get(team);
    if (identity) return identity;
    const answer = await calls.call({ team, method: 'auth.test', signal, arguments: () => ({}) });
    const found = { userId: String(answer?.user_id), botId: String(answer?.bot_id) };
    known.set(team, found);
    return found;
  };
}
