import { LRUCache } from 'lru-cache';
import { isRecord } from '../../contract/json.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';

/** What Alfred asks about a person in Slack. `external`: of another organisation, by Slack Connect. */
export type SlackPerson = { kind: 'member' | 'guest' | 'external' | 'bot' | 'deactivated' };

/** How long a person that became a guest, or no guest any more, is taken for what it was. */
const cacheMs = 300_000;

/** What Slack answers about a person whom the workspace of Alfred does not see. */
const unseen: ReadonlySet<string> = new Set(['user_not_found', 'user_not_visible']);

export type People = { find(team: string, userId: string): Promise<SlackPerson> };

/** People in Slack, as `users.info` describes them. */
export function createPeople(calls: SlackCalls): People {
  const known = new LRUCache<string, SlackPerson>({ max: 10_000, ttl: cacheMs });
  return {
    async find(team, userId) {
      const key = `${team}:${userId}`;
      const cached = known.get(key);
      if (cached) return cached;
      const person = await read(calls, team, userId);
      known.set(key, person);
      return person;
    },
  };
}

async function read(calls: SlackCalls, team: string, userId: string): Promise<SlackPerson> {
  try {
    const answer = await calls.call({ team, method: 'users.info', arguments: () => ({ user: userId }) });
    return { kind: kindOf(team, isRecord(answer?.user) ? answer.user : {}) };
  } catch (error) {
    if (isSlackCallError(error) && unseen.has(error.code)) return { kind: 'external' };
    throw error;
  }
}

function kindOf(team: string, user: Record<string, unknown>): SlackPerson['kind'] {
  if (user.is_bot === true || user.id === 'USLACKBOT') return 'bot';
  if (user.deleted === true) return 'deactivated';
  if (user.is_restricted === true || user.is_ultra_restricted === true) return 'guest';
  return user.is_stranger === true || !isOfTeam(team, user) ? 'external' : 'member';
}

/** In an organisation with several workspaces a person belongs to one and works in others. */
function isOfTeam(team: string, { team_id: ownTeam, enterprise_user: enterprise }: Record<string, unknown>): boolean {
  if (ownTeam === team) return true;
  return isRecord(enterprise) && Array.isArray(enterprise.teams) && enterprise.teams.includes(team);
}
