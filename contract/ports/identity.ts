import type { ApiKey, ApiKeyRequest } from '../api-keys.ts';
import type { Principal } from '../principal.ts';
import type { Reach, Scope } from '../references.ts';

/** What a verified credential says. */
export type SignIn = {
  principal: Principal;
  /** When the credential ends. Absent: it has no end. */
  expiresAt?: Date | undefined;
  /** Whether the credential still counts: for what goes on after its request was let in. Absent: until `expiresAt`. */
  isStillGood?: (() => Promise<boolean>) | undefined;
};

/** What an access token says, beside the principal: who issued it, and when, and whether it names groups at all. */
export type TokenClaims = {
  principal: Principal;
  issuer: string;
  issuedAt: Date;
  expiresAt: Date;
  namesGroups: boolean;
  /** The address that the issuer has verified; null: the person has none. Absent: the token says nothing of it. */
  email?: string | null | undefined;
};

/** People and services as their newest tokens describe them. */
export interface Subjects {
  /**
   * Stores roles and groups of a token when they differ from what is known, or were last seen some minutes ago. What a
   * newer token says stays.
   */
  record(claims: TokenClaims): Promise<void>;
}

/** A key as it is found by its id. */
export type KnownApiKey = {
  principal: Principal;
  /** Hashes of the secrets that count now. */
  secretHashes: Buffer[];
  /** Hashes of secrets before the last rotation, which count no more. */
  replacedHashes: Buffer[];
  expiresAt: Date | undefined;
  isRevoked: boolean;
  /** Whether a token of who made the key is known. The user of this machine has none. */
  hasSignedInCreator: boolean;
};

/** Keys of services. Only a hash of a key's secret is stored. */
export interface ApiKeys {
  /** @throws AlfredError `keys_forbidden` when the principal has too many active keys */
  create(principal: Principal, request: ApiKeyRequest, secret: { id: string; hash: Buffer }): Promise<ApiKey>;

  /** Reads a key within reach: of the subject, or of the tenant. */
  get(reach: Reach, id: string): Promise<ApiKey | undefined>;

  /** Lists the keys within reach, newest first. */
  list(
    reach: Reach,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ keys: ApiKey[]; nextCursor: string | null }>;

  /** Gives a key another secret. Those before, as far as they still count, do so for `overlapS` seconds more. */
  rotate(reach: Reach, id: string, hash: Buffer, overlapS: number): Promise<ApiKey | undefined>;

  /** Ends a key for ever. Idempotent. */
  revoke(reach: Reach, id: string): Promise<ApiKey | undefined>;

  /** Finds a key of any tenant by its id, with the roles that its creator still has. Not for display. */
  find(id: string): Promise<KnownApiKey | undefined>;

  /** Notes that a key was used, at most once a minute. */
  recordUse(id: string): Promise<void>;
}

/** The rights that a subject has at this moment, for work that begins without a request. */
export interface CurrentRights {
  /** @returns undefined when nothing newer is known than what the row of the work keeps */
  rolesOf(scope: Scope): Promise<string[] | undefined>;
}
