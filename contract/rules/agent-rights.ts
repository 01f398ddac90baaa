import { hasOneOf } from '../roles.ts';
import { decide, type Relation } from './policy.ts';

/**
 * How a principal stands to an agent.
 *
 * @param keptFor the roles that the configuration keeps the agent for; undefined: it is there for everybody
 */
export function relationToAgent(roles: readonly string[], keptFor: readonly string[] | undefined): Relation {
  if (keptFor === undefined) return 'public';
  return hasOneOf(roles, keptFor) ? 'group' : 'tenant';
}

/** Whether a principal with these roles may use an agent. One that it may not use does not exist for it. */
export const mayUseAgent = (roles: readonly string[], keptFor: readonly string[] | undefined): boolean =>
  decide({ roles }, relationToAgent(roles, keptFor), 'use', 'agent').allowed;
