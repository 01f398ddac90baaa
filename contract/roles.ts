/** Stands for every role. Without sign-in, the person at this machine has it. */
export const everyRole = '*';

export const hasOneOf = (roles: readonly string[], wanted: readonly string[]) =>
  wanted.length > 0 && (roles.includes(everyRole) || wanted.some((role) => roles.includes(role)));
