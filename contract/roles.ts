/** A role that stands for every role. Without sign-in, the person at this machine has this role. */
export const everyRole = '*';

/** Whether `roles` contains at least one of `wanted`. False when `wanted` is empty. */
export const hasOneOf = (roles: readonly string[], wanted: readonly string[]) =>
  wanted.length > 0 && (roles.includes(everyRole) || wanted.some((role) => roles.includes(role)));
