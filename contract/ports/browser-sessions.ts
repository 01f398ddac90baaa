/** A sign-in in a browser, as it is stored. */
export type BrowserSession = {
  issuer: string;
  /** The person and the session in the words of the provider. */
  sub: string;
  sid: string | undefined;
  /** Encrypted. */
  tokens: Buffer;
  refreshAt: Date;
  createdAt: Date;
  endsAt: Date;
};

/** A session that has ended: a name for it, which signs in nowhere, and whose it was. */
export type EndedSession = { name: string; tenant: string; subject: string };

/** Sign-ins in browsers, by the hash of the id in the cookie. One that has ended is not found. */
export interface BrowserSessions {
  add(idHash: Buffer, session: Omit<BrowserSession, 'createdAt'> & { tenant: string; subject: string }): Promise<void>;

  /** @param isUse notes that the session is used, at most once a minute: without use it ends */
  find(idHash: Buffer, options?: { isUse: boolean }): Promise<BrowserSession | undefined>;

  /** Reserves the refresh of its tokens for one process. @returns whether this one got it */
  claimRefresh(idHash: Buffer): Promise<boolean>;

  /** Stores fresh tokens, or gives the refresh back. */
  endRefresh(idHash: Buffer, fresh?: { tokens: Buffer; refreshAt: Date }): Promise<void>;

  /** @returns the session; undefined when it had ended before, or another request was faster */
  remove(idHash: Buffer): Promise<EndedSession | undefined>;

  /** Deletes what has ended, and logout tokens that are over. @returns how many of the more frequent kind there were */
  removeEnded(limit: number): Promise<number>;

  /**
   * Ends what a provider's logout token names: one session, or all of a person that began before it.
   *
   * @param token is refused when it was used before
   * @returns those that ended; undefined for a token that was used
   */
  endBy(
    token: { issuer: string; jti: string; issuedAt: Date; expiresAt: Date },
    which: { sid?: string | undefined; sub?: string | undefined },
  ): Promise<EndedSession[] | undefined>;
}
