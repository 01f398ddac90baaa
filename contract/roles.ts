/** A role that stands for every role. Without sign-in, the person at this machine has this role. */
export const everyRole = '*';

/** Those of the `kept` roles that are among the `current` ones. Work never gains a role that its request lacked. */
export const rolesLeft = (kept: readonly string[], current: readonly string[]): string[] => {
  if (kept.includes(everyRole)) return [...current];
  return current.includes(everyRole) ? [...kept] : kept.filter((role) => current.includes(role));
};

/** Whether `roles` contains at least one of `wanted`. False when `wanted` is empty. */
export const hasOneOf = (roles: readonly string[], wanted: readonly string[]) =>
  wanted.length > 0 && (roles.includes(everyRole) || wanted.some((role) => roles.includes(role)));
