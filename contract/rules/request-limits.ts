/** Requests that cost more than reading rows: they start work, bring files, or search. */
export type CostlyKind = 'starts' | 'uploads' | 'searches';

/** By `operationId`. What is not named here only reads or writes a few rows. */
const costly: Record<string, CostlyKind> = {
  createTask: 'starts',
  createConversation: 'starts',
  sendMessage: 'starts',
  undoTask: 'starts',
  createSchedule: 'starts',
  runSchedule: 'starts',
  createSource: 'starts',
  syncSource: 'starts',
  repeatCallback: 'starts',
  setPushConfig: 'starts',
  repeatIngestionCallback: 'starts',
  uploadDocuments: 'uploads',
  ingestContacts: 'uploads',
  retryIngestion: 'uploads',
  searchDocuments: 'searches',
};

/** @returns undefined for an operation that costs little */
export const costlyKindOf = (operationId: string | undefined): CostlyKind | undefined =>
  operationId !== undefined && Object.hasOwn(costly, operationId) ? costly[operationId] : undefined;

/** A tenant may do so many times what one of its subjects may. */
export const subjectsWorthOfTenant = 20;

/** Requests a minute that begin or finish sign-ins by browser, of one address: some reach the identity provider. */
export const signInsOfAddress = 60;

/**
 * Whether a route is for sign-ins by browser. What the provider sends to end sessions comes from one address for all
 * people, so it is not counted with them.
 */
export const isSignInRoute = (route: string): boolean =>
  route.startsWith('/auth/') && route !== '/auth/backchannel-logout';

/** What a limit counts, in metrics, in headers and in messages. */
export type LimitName =
  | 'address'
  | 'sign_ins'
  | 'subject'
  | 'tenant'
  | CostlyKind
  | `tenant_${CostlyKind}`
  | 'streams'
  | 'tenant_streams'
  | 'concurrent_uploads';

/** What is left of a limit after a request was counted. */
export type Quota = {
  limit: LimitName;
  /** Requests of a window. */
  most: number;
  left: number;
  /** Until the next window. */
  resetMs: number;
  isExceeded: boolean;
};

/** Whose limit it is, for people. */
const explanations: Partial<Record<LimitName, string>> = {
  address: 'This address sends too many requests.',
  sign_ins: 'This address begins or finishes too many sign-ins.',
  tenant: 'Your tenant sends too many requests, together with others.',
  starts: 'You start too much.',
  uploads: 'You send too many uploads.',
  searches: 'You search too often.',
  tenant_starts: 'Your tenant starts too much, together with others.',
  tenant_uploads: 'Your tenant sends too many uploads, together with others.',
  tenant_searches: 'Your tenant searches too often, together with others.',
};

/** Why a request is refused, and what to do, for people. */
export function explainExceeded({ limit, most, resetMs }: Quota): { message: string; retryAfterMs: number } {
  const what = explanations[limit] ?? 'You send too many requests.';
  const seconds = Math.max(1, Math.ceil(resetMs / 1_000));
  const message = `${what} The limit is ${most} a minute. Repeat in ${seconds} seconds.`;
  return { message, retryAfterMs: seconds * 1_000 };
}

/** The length of a window. */
export const windowMs = 60_000;

/**
 * Header fields that say what is left, in the form of draft-ietf-httpapi-ratelimit-headers-11: names of policies with
 * `q`, requests in `w` seconds, and `r`, those that are left for `t` seconds.
 */
export const quotaHeaders = (quotas: readonly Quota[]): Record<string, string> =>
  quotas.length === 0
    ? {}
    : {
        'ratelimit-policy': quotas.map(({ limit, most }) => `"${limit}";q=${most};w=${windowMs / 1_000}`).join(', '),
        ratelimit: quotas
          .map(({ limit, left, resetMs }) => `"${limit}";r=${left};t=${Math.ceil(resetMs / 1_000)}`)
          .join(', '),
      };

/** The failures that an address may have with one kind of credential before it has to pause. */
export const freeFailures = {
  /** Wrong tokens of an address, which may be that of a whole company. */
  token: 50,
  /** Wrong secrets for one API key, from one address. */
  key: 10,
  /** Wrong API keys of any id, from one address. */
  keys: 100,
} as const;

const longestPauseMs = 900_000;

/**
 * How long a wrong credential is answered with a pause.
 *
 * @param failures beyond those that are free; those within a pause do not count
 * @returns one second, doubled with each failure, up to 15 minutes
 */
export const pauseMsAfter = (failures: number): number => Math.min(longestPauseMs, 1_000 * 2 ** (failures - 1));
