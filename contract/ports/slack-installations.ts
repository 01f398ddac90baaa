import type { Scope } from '../references.ts';

/** `pending`: no operator has let it in. `ended`: it was removed, here or in Slack, and its token is deleted. */
export type SlackInstallationState = 'pending' | 'allowed' | 'ended';

/** A workspace that has installed Alfred. */
export type SlackInstallation = {
  team: string;
  name: string;
  state: SlackInstallationState;
  /** Whose documents its people may read. Null until an operator names it. */
  tenant: string | null;
  botId: string;
  botUserId: string;
  /** The Slack user who installed it. */
  installedBy: string;
  installedAt: Date;
  allowedAt: Date | null;
  endedAt: Date | null;
};

export type NewSlackInstallation = Pick<SlackInstallation, 'team' | 'name' | 'botId' | 'botUserId' | 'installedBy'> & {
  token: string;
};

/** The links of people with another tenant end then. `previousTenant`: before, or null. */
export type AllowedSlackInstallation = SlackInstallation & {
  endedLinks: (Scope & { userId: string })[];
  previousTenant: string | null;
};

/** The workspaces that have installed Alfred. Their tokens are stored encrypted. */
export interface SlackInstallations {
  /**
   * Encrypts all tokens with the newest key.
   *
   * @returns those that no key opens, with the id of the key that they were encrypted with
   */
  renewEncryption(): Promise<{ team: string; keyId: string }[]>;
  /** The ids of the keys, the newest first. */
  keyIds(): string[];

  /** Begins an installation. @returns a text that cannot be guessed, for the browser to bring back */
  issueState(lastsMs: number): string;
  /** @returns false when it is not one of `issueState`, too old, or was used before */
  useState(state: string): Promise<boolean>;

  /**
   * One that is allowed stays so, with its tenant, and its new token is in the audit log. One that has ended is pending
   * again.
   *
   * @returns what it is now; undefined when so many wait to be let in that no more are stored
   */
  store(installation: NewSlackInstallation): Promise<SlackInstallationState | undefined>;
  /** `token` is undefined when it was deleted, or when no key opens it. */
  find(team: string): Promise<(SlackInstallation & { token: string | undefined }) | undefined>;
  /** By name. */
  list(): Promise<SlackInstallation[]>;

  /**
   * Lets a workspace in, or changes its tenant. What it had from another tenant is forgotten: links of its people,
   * threads, how its channels are set up, and answers that are still to be shown. Files of its messages go with no
   * question any more.
   *
   * @returns undefined when it is not installed
   */
  allow(team: string, tenant: string): Promise<AllowedSlackInstallation | undefined>;
  /**
   * Deletes its token.
   *
   * @param installedUntil Slack has ended it then: one that was installed later stays. One that was let in has an entry
   *   in the audit log
   * @returns undefined when there was none
   */
  end(team: string, installedUntil?: Date): Promise<SlackInstallation | undefined>;
  /** Deletes those that ended long ago, and those that no operator has let in for long. @returns how many */
  removeOld(): Promise<number>;
}
