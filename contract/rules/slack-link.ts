/** Where a person who is signed in confirms a link with a Slack user. */
export const slackLinkPath = '/auth/slack';

/** How long an address and the digits count. */
export const slackLinkLastsMs = 600_000;

/** A code of an address: 256 random bits as base64url. */
export const isSlackLinkCode = (text: unknown): text is string => typeof text === 'string' && /^[\w-]{43}$/.test(text);

/** Digits as a person writes them. */
export const slackLinkDigitsIn = (text: string): string | undefined =>
  /^\d{8}$/.test(text.replaceAll(/[\s-]/g, '')) ? text.replaceAll(/[\s-]/g, '') : undefined;

/** As they are read most easily. */
export const shownDigits = (digits: string) => `${digits.slice(0, 4)} ${digits.slice(4)}`;

/** The Slack user, and the digits: so that one set of digits counts for one user alone. */
export const digitsKey = (team: string, userId: string, digits: string) => `${team}:${userId}:${digits}`;

/** A Slack user in the audit log. */
export const slackUserResource = (team: string, userId: string) => ({ type: 'slack_user', id: `${team}:${userId}` });
