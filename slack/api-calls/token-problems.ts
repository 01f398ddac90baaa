/** Slack's names of errors with which it refuses every call of a token. An operator puts that right. */
const codes: ReadonlySet<string> = new Set([
  'account_inactive',
  'app_uninstalled',
  'ekm_access_denied',
  'enterprise_is_restricted',
  'invalid_auth',
  'not_allowed_token_type',
  'not_authed',
  'org_login_required',
  'team_access_not_granted',
  'team_added_to_org',
  'team_not_found',
  'token_expired',
  'token_revoked',
  'two_factor_setup_required',
]);

export const isTokenProblem = (code: string): boolean => codes.has(code);

/**
 * What the outcomes of calls say about the token. A success ends a problem.
 *
 * @returns `problem` with what is wrong and what to do
 */
export function createTokenWatch() {
  /** By method: a scope may be missing for one, while others succeed. */
  const missingScopes = new Set<string>();
  let refused: string | undefined;
  return {
    /** @param outcome `ok`, or Slack's name of the error */
    observe({ method, outcome }: { method: string; outcome: string }): void {
      if (isTokenProblem(outcome)) refused = outcome;
      else if (outcome === 'missing_scope') missingScopes.add(method);
      else if (outcome === 'ok') {
        refused = undefined;
        missingScopes.delete(method);
      }
    },

    problem(): string | undefined {
      if (refused !== undefined) return tokenRefused(refused);
      if (missingScopes.size === 0) return undefined;
      const methods = [...missingScopes].toSorted().join(', ');
      return `SLACK_BOT_TOKEN lacks a scope (missing_scope in ${methods}): install the app again with deploy/slack/manifest.yaml`;
    },
  };
}

/** @param code Slack's name of the error */
export const tokenRefused = (code: string): string =>
  `Slack refuses SLACK_BOT_TOKEN (${code}): copy the "Bot User OAuth Token" of the app again`;
