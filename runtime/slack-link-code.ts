import { createHash, randomBytes, randomInt } from 'node:crypto';
import { digitsKey } from '../contract/rules/slack-link.ts';

export const newSlackLinkCode = () => randomBytes(32).toString('base64url');
export const newSlackLinkDigits = () => String(randomInt(100_000_000)).padStart(8, '0');

/** What is stored of a code. */
export const hashSlackLinkCode = (code: string): Buffer => createHash('sha256').update(code).digest();

/** What is stored of digits. They count for minutes, and a few attempts use them up. */
export const hashSlackLinkDigits = (team: string, userId: string, digits: string): Buffer =>
  createHash('sha256')
    .update(digitsKey(team, userId, digits))
    .digest();
