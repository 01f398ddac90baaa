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
  if (device) checkParameters(stack, device.parameters);
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
  if (response.ok && metadata.success) {
    checkResource(stack, metadata.data.resource);
    return metadata.data;
  }
  throw new CliError(
    `${url} answered ${response.status}, and not how to sign in. Is it Alfred, of this version, that runs at ${stack.url} (${stack.foundBy})?`,
  );
}

/** An API that passes on what another one says would get the tokens that are for that one (RFC 9728, section 3.3). */
function checkResource({ url, foundBy }: Stack, resource: string): void {
  if (resource === new URL(url).origin) return;
  throw new CliError(
    `Alfred at ${url} (${foundBy}) says that its address is ${resource}, so a token must not be sent to ${url}. If that address is right, set ALFRED_URL to it; the operator sets it with ALFRED_PUBLIC_URL.`,
  );
}

/** What an API may add to a request for tokens: what they may do, and whom they are for. */
const parameterShapes: Record<string, RegExp> = {
  scope: /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+){0,19}$/,
  audience: /^[\x21-\x7e]+$/,
  resource: /^https?:\/\/[\x21-\x7e]+$/,
};

function checkParameters({ url }: Stack, parameters: DeviceSignIn['parameters']): void {
  for (const [name, value] of Object.entries(parameters)) {
    const isKnown = Object.hasOwn(parameterShapes, name) && value.length <= 1_000;
    if (isKnown && parameterShapes[name]?.test(value)) continue;
    throw new CliError(
      `Alfred at ${url} wants the parameter ${JSON.stringify(name)} in requests to the identity provider, with ${JSON.stringify(value)}. Only scope, audience and resource are sent, in their usual form. Is it Alfred, of this version, that runs there?`,
    );
  }
}
