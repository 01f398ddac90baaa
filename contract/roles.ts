/** Of somebody who has them all: the person at this machine while there is no sign-in. */
export const everyRole = '*';

export const hasOneOf = (roles: readonly string[], wanted: readonly string[]) =>
  wanted.length > 0 && (roles.includes(everyRole) || wanted.some((role) => roles.includes(role)));
