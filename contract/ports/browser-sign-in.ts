import type { EndedSession } from './browser-sessions.ts';
import type { SignIn } from './identity.ts';

/** Sign-ins of people in browsers, at the identity provider. */
export interface BrowserSignIn {
  /** Where browsers reach the API, without a slash at the end. Sign-ins begin and end there. */
  publicUrl: string;

  /**
   * Begins a sign-in.
   *
   * @param returnTo path where the person goes afterwards
   * @returns the address of the provider, and what the browser keeps until it comes back with `state`
   * @throws AlfredError `identity_unavailable`
   */
  begin(returnTo: string): Promise<{ url: string; state: string; attempt: string }>;

  /**
   * Finishes a sign-in with what the browser brings from the provider.
   *
   * @throws AlfredError `sign_in_failed`, `identity_unavailable`, or why the token of the provider does not count
   */
  finish(query: string, attempt: string | undefined): Promise<{ id: string; returnTo: string; maxAgeS: number }>;

  /** @throws AlfredError `session_ended`, `identity_unavailable`, or why its token does not count any more */
  identify(id: string): Promise<SignIn>;

  /**
   * Ends a session, and gives its refresh token back to the provider.
   *
   * @param options `replacedBy`: id of the session that takes its place. Then it ends also when it cannot be read
   * @returns the address that ends it at the provider too, and what ended, for the audit log
   */
  end(id: string, options?: { replacedBy?: string }): Promise<{ url: string; ended: EndedSession | undefined }>;

  /** Ends what a logout token of the provider names. @throws AlfredError `malformed_request`, `identity_unavailable` */
  endByProvider(logoutToken: string): Promise<EndedSession[]>;
}
