import { createHash } from 'node:crypto';

/** What a receiver tells repeats of one call apart by. A receipt key names a task; its hash says nothing. */
export const stableId = (receiptKey: string) =>
  createHash('sha256').update(receiptKey).digest('base64url').slice(0, 32);
