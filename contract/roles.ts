/** A role that stands for every role. Without sign-in, the person at this machine has this role. */
export const everyRole = '*';

/**
 * A role that takes away: a service with it has its own tasks, and nothing else unless another role gives it. See
 * contract/rules/policy.ts.
 */
export const agentRole = 'agent';

/**
 * Those of the `kept` roles that are among the `current` ones. Work never gains a role that its request lacked, nor
 * loses the one that limits it.
 */
export const rolesLeft = (kept: readonly string[], current: readonly string[]): string[] => {
  if (kept.includes(everyRole)) return [...current];
  if (current.includes(everyRole)) return [...kept];
  const left = kept.filter((role) => role === agentRole || current.includes(role));
  return current.includes(agentRole) && !left.includes(agentRole) ? [...left, agentRole] : left;
};

/** Whether `roles` contains at least one of `wanted`. False when `wanted` is empty. */
export const hasOneOf = (roles: readonly string[], wanted: readonly string[]) =>
  wanted.length > 0 && (roles.includes(everyRole) || wanted.some((role) => roles.includes(role)));
