import type { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { SignInMetadata, signInMetadataPath, type DeviceSignIn } from '../../contract/sign-in-metadata.ts';
import { Unreachable } from '../client/api-client.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { Stack } from '../stack.ts';

export type SignInOptions = { issuer?: string; clientId?: string };

/**
 * Asks the API where its people sign in, and how (RFC 9728).
 *
 * @param options what the person named in place of what the API says
 */
export async function findSignIn(stack: Stack, { issuer, clientId }: SignInOptions): Promise<DeviceSignIn> {
  const { authorization_servers: issuers, alfred_device_sign_in: devices } = await readMetadata(stack);
  if (issuers.length === 0)
    throw new CliError(
      `Alfred at ${stack.url} has no identity provider: requests need no sign-in there. To set one up, see docs/how-to/keycloak.md.`,
    );
  const named = issuer ?? devices[0]?.issuer ?? issuers[0] ?? '';
  // Tokens of another one would be refused, and it would learn who signs in here.
  if (!issuers.includes(named))
    throw usageError(`Alfred at ${stack.url} does not trust ${named}. It trusts ${issuers.join(' and ')}.`);
  const device = devices.find((one) => one.issuer === named);
  const client = clientId ?? device?.client_id;
  if (client === undefined)
    throw usageError(
      `Alfred at ${stack.url} does not say which client of ${named} is for the command line. Name it with --client-id, or set OIDC_CLI_CLIENT_ID of the API.`,
    );
  return {
    issuer: named,
    client_id: client,
    parameters: device?.parameters ?? { scope: 'openid offline_access' },
  };
}

async function readMetadata(stack: Stack): Promise<z.infer<typeof SignInMetadata>> {
  const url = stack.url + signInMetadataPath;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' } });
    text = await response.text();
  } catch (error) {
    throw new Unreachable(stack, error);
  }
  const metadata = SignInMetadata.safeParse(parseJson(text));
  if (response.ok && metadata.success) return metadata.data;
  throw new CliError(
    `${url} answered ${response.status}, and not how to sign in. Is it Alfred, of this version, that runs at ${stack.url} (${stack.foundBy})?`,
  );
}
