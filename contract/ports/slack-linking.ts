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

  /** Until the Slack user links itself again, its address makes no link. @returns whom it was linked with */
  unlink(team: string, userId: string): Promise<Scope | undefined>;

  /** Deletes requests whose time is over. @returns how many */
  removeOld(): Promise<number>;
}

/** `sign_in`: a person has made it by `/alfred link`. `email`: Slack user and subject have one e-mail address. */
export type SlackLinkOrigin = 'sign_in' | 'email';

export type SlackUserLink = Scope & {
  madeBy: SlackLinkOrigin;
  /** When the provider has last vouched for it: by the newest token of the subject, or the newest with the address. */
  signedInAt: Date;
};

/** A Slack user, and the tenant of the people of its workspace. */
export type SlackUser = { team: string; userId: string; tenant: string };

/** What an address has come to. `changes`: those of this call, each with its entry in the audit log. */
type FollowedEmail = {
  link: SlackUserLink | undefined;
  /** Several subjects have the address, so it links with none. */
  isAmbiguous: boolean;
  changes: ('made' | 'ended')[];
};

/** Which subjects Slack users are. */
export interface SlackUserLinks {
  find(team: string, userId: string): Promise<SlackUserLink | undefined>;

  /**
   * Makes the link that an address gives, and ends one that no address gives any more. A link that the person has made
   * stays as it is, and after an `unlink` an address makes none.
   *
   * @param email     of the Slack user, as it is compared; undefined when none counts
   * @param maxAgeDays so long after its newest token with the address a subject gets a link
   */
  follow(user: SlackUser, email: string | undefined, maxAgeDays: number): Promise<FollowedEmail>;
}
