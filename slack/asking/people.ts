import { LRUCache } from 'lru-cache';
import { isRecord } from '../../contract/json.ts';
import { trustedEmail } from '../../contract/rules/trusted-email.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { isSlackCallError } from '../api-calls/call-error.ts';

/**
 * What Alfred asks about a person in Slack. `external`: of another organisation, by Slack Connect. `name`: as Slack
 * shows it; undefined where it shows none.
 */
export type SlackPerson = {
  kind: 'member' | 'guest' | 'external' | 'bot' | 'deactivated';
  name: string | undefined;
  /** Of a member, where Slack has confirmed it and its domain is trusted. */
  email?: string;
};

/** How long a person that became a guest, or has another address, is taken for what it was. */
const cacheMs = 300_000;

/** What Slack answers about a person whom the workspace of Alfred does not see. */
const unseen: ReadonlySet<string> = new Set(['user_not_found', 'user_not_visible']);

export type People = { find(team: string, userId: string, signal?: AbortSignal): Promise<SlackPerson> };

/**
 * People in Slack, as `users.info` describes them.
 *
 * @param emailDomains whose addresses are read
 */
export function createPeople(calls: SlackCalls, emailDomains: readonly string[] = []): People {
  const known = new LRUCache<string, SlackPerson>({ max: 10_000, ttl: cacheMs });
  return {
    async find(team, userId, signal) {
      const key = `${team}:${userId}`;
      const cached = known.get(key);
      if (cached) return cached;
      const person = await read({ calls, emailDomains }, { team, userId, signal });
      known.set(key, person);
      return person;
    },
  };
}

type Deps = { calls: SlackCalls; emailDomains: readonly string[] };
type Wanted = { team: string; userId: string; signal: AbortSignal | undefined };

async function read({ calls, emailDomains }: Deps, { team, userId, signal }: Wanted): Promise<SlackPerson> {
  try {
    const answer = await calls.call({
      team,
      method: 'users.info',
      ...(signal && { signal }),
      arguments: () => ({ user: userId }),
    });
    const user = isRecord(answer?.user) ? answer.user : {};
    const kind = kindOf(team, user);
    const email = kind === 'member' ? confirmedEmail(user, emailDomains) : undefined;
    return { kind, name: nameOf(user), ...(email === undefined ? {} : { email }) };
  } catch (error) {
    if (isSlackCallError(error) && unseen.has(error.code)) return { kind: 'external', name: undefined };
    throw error;
  }
}

/** Slack names addresses to apps with the scope `users:read.email`. */
function confirmedEmail(
  { is_email_confirmed: isConfirmed, profile }: Record<string, unknown>,
  domains: readonly string[],
): string | undefined {
  return isConfirmed === true && isRecord(profile) ? trustedEmail(profile.email, domains) : undefined;
}

/** Of these Slack shows the first that a person has. */
function nameOf({ profile, real_name: realName, name }: Record<string, unknown>): string | undefined {
  const { display_name: displayName, real_name: nameInProfile } = isRecord(profile) ? profile : {};
  const names = [displayName, nameInProfile, realName, name];
  return names.find((one): one is string => typeof one === 'string' && one.trim() !== '');
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
