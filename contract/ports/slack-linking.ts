import type { Scope } from '../references.ts';

/** A Slack user who asks to be linked, in the words that people know it by. */
export type SlackLinkRequest = {
  team: string;
  userId: string;
  /** The tenant whose people the workspace has. */
  tenant: string;
  userName: string;
  workspace: string;
};

/** What became of digits. `none`: no one has confirmed, or it is too late; `wrong`: others were shown. */
type SlackLinkOutcome = { linked: Scope } | 'wrong' | 'none';

/**
 * Links Slack users with subjects. Both sides take part: who is signed in opens the address that the Slack user got,
 * confirms, and is shown digits, which the Slack user brings back. One who got the other's address alone is stopped by
 * that. What is linked and unlinked has its entry in the audit log.
 */
export interface SlackLinking {
  /** Stores a request. An earlier one of this Slack user does not count any more. */
  begin(request: SlackLinkRequest, codeHash: Buffer, lastsMs: number): Promise<void>;

  /** @returns undefined when the code is used up, too old, or none */
  find(codeHash: Buffer): Promise<SlackLinkRequest | undefined>;

  /**
   * Uses the code up.
   *
   * @param digitsHash of what the Slack user has to bring
   * @returns false when the code does not count any more, or is for another tenant
   */
  confirm(codeHash: Buffer, subject: Scope, digitsHash: Buffer): Promise<boolean>;

  /** Links, when the digits are those that were shown. After a few wrong ones the request is gone. */
  finish(team: string, userId: string, digitsHash: Buffer): Promise<SlackLinkOutcome>;

  /** @returns whom the Slack user was linked with */
  unlink(team: string, userId: string): Promise<Scope | undefined>;

  /** Deletes requests whose time is over. @returns how many */
  removeOld(): Promise<number>;
}
