import { z } from 'zod';
import { NextCursor, pageQuery } from './paging.ts';

/** What a memory may have, in UTF-16 code units. */
export const longestMemory = 1_000;
/** How many memories a subject may have. */
export const mostMemories = 500;
/** How long a memory is kept when its request does not say, in days. */
export const usualMemoryDays = 365;

export const MemoryText = z.string().trim().min(1).max(longestMemory);

export const MemoryRequest = z.strictObject({
  text: MemoryText.describe('What Alfred is to remember'),
  group: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('A group of yours whose members shall have it too. Default: for you alone'),
  expiresInDays: z.int().min(1).max(3_650).optional().describe('Default: 365'),
});
export type MemoryRequest = z.infer<typeof MemoryRequest>;

export const MemorySource = z.object({
  via: z.string().describe('How the request was signed in: `oidc`, `session`, `api_key`, `slack` or `local`'),
  taskId: z.uuid().nullable().describe('The task in which an agent was asked to remember it'),
  conversationId: z.string().nullable(),
});

export const Memory = z.object({
  id: z.uuid(),
  text: z.string(),
  group: z.string().nullable().describe('Whose members have it; null: its owner alone'),
  by: z.string().describe('The subject who asked for it'),
  source: MemorySource,
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type Memory = z.infer<typeof Memory>;

export const MemoryListQuery = z.strictObject(pageQuery());
export type MemoryListQuery = z.infer<typeof MemoryListQuery>;
export const MemoryList = z.object({ memories: z.array(Memory), nextCursor: NextCursor });
export type MemoryList = z.infer<typeof MemoryList>;

/** A memory that a task was given, without its text. */
export const UsedMemory = Memory.pick({ id: true, group: true, by: true, source: true, createdAt: true });
