/** What the limits are with sign-in, when their variables are not set. Without sign-in they are off. */
const withSignIn = {
  ALFRED_LIMIT_ADDRESS: 6_000,
  ALFRED_LIMIT_SUBJECT: 3_000,
  ALFRED_LIMIT_TENANT: 30_000,
  ALFRED_LIMIT_STARTS: 300,
  ALFRED_LIMIT_UPLOADS: 600,
  ALFRED_LIMIT_SEARCHES: 600,
  ALFRED_LIMIT_STREAMS: 50,
  ALFRED_LIMIT_CONCURRENT_UPLOADS: 10,
} as const;
type LimitVariable = keyof typeof withSignIn;

/** The part of the configuration that limits come from. */
export type LimitConfig = { [Variable in LimitVariable]?: number | undefined } & { OIDC_ISSUER?: unknown };

/** @returns the limit; 0: none */
export const limitOf = (config: LimitConfig, variable: LimitVariable): number =>
  config[variable] ?? (config.OIDC_ISSUER === undefined ? 0 : withSignIn[variable]);

/** The default of a limit, for its description. */
export const defaultLimit = (variable: LimitVariable) =>
  `default: ${withSignIn[variable].toLocaleString('en')} with OIDC_ISSUER, and no limit without; 0: no limit`;
