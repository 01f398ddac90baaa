import { z } from 'zod';
import { NextCursor, pageQuery } from './paging.ts';
import { everyRole } from './roles.ts';
import { scopeNames } from './rules/scopes.ts';

const RoleName = z
  .string()
  .min(1)
  .max(256)
  .refine((role) => role !== everyRole, 'name the roles: a key has none that stands for every role');

export const ApiKeyRequest = z.strictObject({
  name: z.string().trim().min(1).max(200).describe('What it is for, for people to read'),
  roles: z.array(RoleName).max(100).default([]).describe('Of your own roles; the key never has one that you lack'),
  scopes: z
    .array(z.enum(scopeNames))
    .max(scopeNames.length)
    .default([])
    .describe('What the key may be used for; empty: everything that its roles allow'),
  expiresInDays: z.int().min(1).max(3_650).optional().describe('Default: it does not expire'),
});
export type ApiKeyRequest = z.infer<typeof ApiKeyRequest>;

export const ApiKeyRotation = z.strictObject({
  overlapS: z
    .int()
    .min(0)
    .max(2_592_000)
    .default(86_400)
    .describe('Seconds for which keys of before still count; 0: not at all'),
});
export type ApiKeyRotation = z.infer<typeof ApiKeyRotation>;

/** A key without its secret. */
export const ApiKey = z.object({
  id: z.string().describe('The part of the key that is no secret'),
  name: z.string(),
  subject: z.string().describe('Who the key is: what it makes belongs to this subject'),
  createdBy: z.string().describe('Whose roles limit those of the key'),
  roles: z.array(z.string()),
  scopes: z.array(z.string()),
  state: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  rotatedAt: z.iso.datetime().nullable(),
  oldKeyUntil: z.iso.datetime().nullable().describe('Until when the key from before the last rotation counts'),
  lastUsedAt: z.iso.datetime().nullable().describe('Exact to a minute'),
  revokedAt: z.iso.datetime().nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** A key with its secret. It is shown once. */
export const NewApiKey = ApiKey.extend({
  key: z.string().describe('Send it as `Authorization: Bearer …`. It is not stored and not shown again'),
});
export type NewApiKey = z.infer<typeof NewApiKey>;

export const ApiKeyListQuery = z.strictObject({
  ...pageQuery({ most: 100, fits: (cursor) => /^[0-9a-f]{16}$/.test(cursor) }),
});
export type ApiKeyListQuery = z.infer<typeof ApiKeyListQuery>;
export const ApiKeyList = z.object({ keys: z.array(ApiKey), nextCursor: NextCursor });
export type ApiKeyList = z.infer<typeof ApiKeyList>;

/** The caller, as its credential describes it. */
export const Me = z.object({
  tenant: z.string(),
  subject: z.string(),
  kind: z.enum(['person', 'service']),
  roles: z.array(z.string()).describe('`*` stands for every role'),
  groups: z.array(z.string()),
  scopes: z.array(z.string()).describe('Empty: no limit beside the roles'),
  via: z.enum(['local', 'oidc', 'session', 'api_key']),
  expiresAt: z.iso.datetime().nullable().describe('When the credential ends'),
});
export type Me = z.infer<typeof Me>;
