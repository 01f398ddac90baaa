import { hasOneOf } from '../roles.ts';
import { decide, type Relation } from './policy.ts';

/**
 * How a principal stands to an agent, or to a tool of an agent.
 *
 * @param keptFor the roles that the configuration keeps it for; undefined: it is there for everybody
 */
export function relationTo(roles: readonly string[], keptFor: readonly string[] | undefined): Relation {
  if (keptFor === undefined) return 'public';
  return hasOneOf(roles, keptFor) ? 'group' : 'tenant';
}

/** Whether a principal with these roles may use an agent. One that it may not use does not exist for it. */
export const mayUseAgent = (roles: readonly string[], keptFor: readonly string[] | undefined): boolean =>
  decide({ roles }, relationTo(roles, keptFor), 'use', 'agent').allowed;

/** Whether a task with these roles may call a tool. */
export const mayUseTool = (roles: readonly string[], keptFor: readonly string[] | undefined): boolean =>
  decide({ roles }, relationTo(roles, keptFor), 'use', 'tool').allowed;
