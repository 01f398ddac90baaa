import * as oidc from 'openid-client';
import type { DeviceSignIn } from '../../contract/sign-in-metadata.ts';
import { CliError } from '../cli-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { isUnreachable, openProvider, providerError, refusalCode, tokensIn, type Tokens } from './provider.ts';

/** How long a wait goes on while the provider does not answer. The person may be typing the code meanwhile. */
const silenceMs = 60_000;

/**
 * Signs a person in by the device flow (RFC 8628) with PKCE: prints an address and a code, and waits until the person
 * has confirmed it in a browser, on any machine.
 *
 * @param signal the person gives up
 * @throws CliError that says what the provider or the person did
 */
export async function signInByDevice(
  { issuer, client_id: clientId, parameters }: DeviceSignIn,
  terminal: Pick<Terminal, 'note' | 'status' | 'clearStatus'>,
  signal: AbortSignal,
): Promise<Tokens> {
  const provider = { issuer, clientId };
  const config = await openProvider(provider);
  if (config.serverMetadata().device_authorization_endpoint === undefined)
    throw new CliError(
      `${issuer} has no device flow, by which the command line signs in. Make an access token or an API key in another way, and set ALFRED_TOKEN.`,
    );
  const verifier = oidc.randomPKCECodeVerifier();
  const pkce = {
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  const started = await oidc
    .initiateDeviceAuthorization(config, { ...parameters, ...pkce })
    .catch((error: unknown) => Promise.reject(providerError(error, provider)));
  terminal.note(`Open this address in a browser, and confirm the code ${started.user_code}:`);
  terminal.note(`\n  ${webAddress(started.verification_uri_complete ?? started.verification_uri)}\n`);
  terminal.status('Waiting for the browser … (Ctrl-C gives up)');
  try {
    const { scope: _scope, ...audience } = parameters;
    const answer = await poll(config, started, { ...audience, code_verifier: verifier }, signal);
    return tokensIn(answer);
  } catch (error) {
    if (signal.aborted) throw error;
    const code = refusalCode(error);
    if (code === 'access_denied') throw new CliError('The sign-in was refused in the browser. Nothing was stored.');
    if (code === 'expired_token' || error instanceof CodeExpired)
      throw new CliError(
        `The code was not confirmed within ${Math.round(started.expires_in / 60)} minutes. Run \`alfred login\` again for a new one.`,
      );
    throw providerError(error, provider);
  } finally {
    terminal.clearStatus();
  }
}

/** Asks until the person has decided. A provider that does not answer for a moment is asked again. */
async function poll(
  config: oidc.Configuration,
  started: oidc.DeviceAuthorizationResponse,
  parameters: Record<string, string>,
  signal: AbortSignal,
) {
  let silentSince: number | undefined;
  const timeUp = AbortSignal.timeout(started.expires_in * 1_000);
  const ended = AbortSignal.any([signal, timeUp]);
  while (true) {
    const askedAt = Date.now();
    try {
      return await oidc.pollDeviceAuthorizationGrant(config, started, parameters, { signal: ended });
    } catch (error) {
      signal.throwIfAborted();
      if (timeUp.aborted) throw new CodeExpired();
      if (refusalCode(error) !== undefined || !isUnreachable(error)) throw error;
      // A call that went on for long before it broke had answers.
      if (silentSince === undefined || Date.now() - askedAt > silenceMs) silentSince = Date.now();
      if (Date.now() - silentSince > silenceMs) throw error;
    }
  }
}

class CodeExpired extends Error {
  override readonly name = 'CodeExpired';
}

/** @throws CliError when the provider names something that is no web page */
function webAddress(address: string): string {
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return new URL(address).href;
  throw new CliError('The identity provider names an address that is no web page.');
}
