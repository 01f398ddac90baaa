import { tokenRevocation } from 'openid-client';
import { openProvider, providerError } from './provider.ts';
import type { StoredSignIn } from './sign-in-store.ts';

/**
 * Ends a sign-in at the provider (RFC 7009). An access token that was given out counts to its end, a few minutes.
 *
 * @returns false when the provider has no way to do that
 * @throws CliError when the provider does not answer or refuses
 */
export async function revoke({
  issuer,
  clientId,
  accessToken,
  refreshToken,
}: Omit<StoredSignIn, 'api'>): Promise<boolean> {
  const provider = { issuer, clientId };
  const config = await openProvider(provider);
  if (config.serverMetadata().revocation_endpoint === undefined) return false;
  try {
    await tokenRevocation(config, refreshToken ?? accessToken, {
      token_type_hint: refreshToken === undefined ? 'access_token' : 'refresh_token',
    });
    return true;
  } catch (error) {
    throw providerError(error, provider);
  }
}
