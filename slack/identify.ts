import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';
import type { SlackCalls } from './api-calls/api-calls.ts';
import { isSlackCallError } from './api-calls/call-error.ts';
import { isTokenProblem, tokenRefused } from './api-calls/token-problems.ts';

export type Identity = { botId: string; botUserId: string; team: string; workspace: string };

/** Who Alfred is in the workspace of the bot token, and what keeps it from knowing that. */
type OwnIdentity = {
  /** Absent: there is no such token. */
  identity: Promise<Identity> | undefined;
  problem: () => string | undefined;
  /** Slack refuses the token. */
  isRefused: () => boolean;
};

/** Asks as long as it takes, in the background. */
export function identifyOwn(botToken: string | undefined, deps: Omit<Deps, 'onProblem'>): OwnIdentity {
  if (botToken === undefined) return { identity: undefined, problem: () => undefined, isRefused: () => false };
  let problem: string | undefined = 'Slack has not said yet who Alfred is there';
  let isRefused = false;
  const onProblem = (found: string, isOfToken: boolean) => {
    problem = found;
    isRefused = isOfToken;
  };
  const identity = identify({ ...deps, onProblem });
  identity.then(
    () => (problem = undefined),
    () => undefined,
  );
  return { identity, problem: () => problem, isRefused: () => isRefused };
}

const pauses = { firstMs: 1_000, longestMs: 60_000 };

type Deps = {
  calls: SlackCalls;
  log: Pick<Logger, 'warn'>;
  signal: AbortSignal;
  /** `isRefused`: Slack refuses the token. */
  onProblem: (problem: string, isRefused: boolean) => void;
};

/**
 * Asks Slack who Alfred is there, as long as it takes.
 *
 * @param deps.onProblem gets what is wrong and what to do
 * @throws the signal's reason
 */
async function identify({ calls, log, signal, onProblem }: Deps): Promise<Identity> {
  let pauseMs = pauses.firstMs;
  while (true) {
    try {
      const answer = await calls.call({ team: '', method: 'auth.test', signal, arguments: () => ({}) });
      return {
        botId: String(answer?.bot_id),
        botUserId: String(answer?.user_id),
        team: String(answer?.team_id),
        workspace: String(answer?.team),
      };
    } catch (error) {
      signal.throwIfAborted();
      const code = isSlackCallError(error) ? error.code : 'internal';
      onProblem(code === 'unavailable' ? 'Slack does not answer' : tokenRefused(code), isTokenProblem(code));
      log.warn({ code, retryInMs: pauseMs }, 'Slack does not say who Alfred is there; what it sends is kept meanwhile');
    }
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(2 * pauseMs, pauses.longestMs);
  }
}
