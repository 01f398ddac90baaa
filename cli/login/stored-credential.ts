import type { Credential } from '../client/api-client.ts';
import { CliError } from '../cli-error.ts';
import type { Stack } from '../stack.ts';
import type { SignInStore, StoredSignIn } from './sign-in-store.ts';

/** A token is replaced this long before its end, or after three quarters of a shorter life. */
const marginMs = 60_000;

const isNearItsEnd = ({ issuedAt, expiresAt }: StoredSignIn, now: number) =>
  now >= expiresAt - Math.min(marginMs, (expiresAt - issuedAt) / 4);

/**
 * The access token of `alfred login` at this API, replaced by a fresh one when it is near its end. A refresh token
 * counts once, so one process at a time uses it, and the others take what it got.
 *
 * * @returns undefined when no person is signed in there
 * @throws CliError when the provider ended the sign-in, or does not answer and the token is over
 */
export async function storedCredential(
  { url }: Stack,
  store: SignInStore,
  now: () => number = Date.now,
): Promise<Credential | undefined> {
  const asCredential = ({ accessToken }: StoredSignIn): Credential => ({ token: accessToken, from: 'alfred login' });
  const stored = await store.read(url);
  if (!stored || !isNearItsEnd(stored, now())) return stored && asCredential(stored);
  return store.locked(url, async () => {
    const current = await store.read(url);
    if (!current || !isNearItsEnd(current, now())) return current && asCredential(current);
    const renewed = await refresh(current, now);
    if (renewed) await store.write({ ...current, ...renewed }, url);
    return asCredential({ ...current, ...renewed });
  });
}

/** @returns undefined when the token at hand still counts, and the provider cannot be asked just now */
async function refresh(signIn: StoredSignIn, now: () => number) {
  const { issuer, clientId, parameters, refreshToken, expiresAt } = signIn;
  const isOver = now() >= expiresAt;
  if (refreshToken === undefined) {
    if (!isOver) return undefined;
    throw new CliError(`The sign-in at ${signIn.api} is over. Run \`alfred login\` again.`);
  }
  // Loaded only now: most commands find a token that counts.
  const [{ refreshTokenGrant }, { isUnreachable, openProvider, providerError, refusalCode, tokensIn }] =
    await Promise.all([import('openid-client'), import('./provider.ts')]);
  const provider = { issuer, clientId };
  try {
    const config = await openProvider(provider);
    const { scope: _scope, ...audience } = parameters;
    return tokensIn(await refreshTokenGrant(config, refreshToken, audience), signIn);
  } catch (error) {
    const cause = error instanceof CliError ? error.cause : error;
    if (!isOver && isUnreachable(cause)) return undefined;
    if (refusalCode(cause) === 'invalid_grant')
      throw new CliError(`${issuer} has ended your sign-in at ${signIn.api}. Run \`alfred login\` again.`, { cause });
    throw error instanceof CliError ? error : providerError(error, provider);
  }
}
