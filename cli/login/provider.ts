import * as oidc from 'openid-client';
import { parseJson } from '../../contract/json.ts';
import { CliError } from '../cli-error.ts';

const timeoutS = 20;

/** A client of an identity provider, by OpenID Connect Discovery. The command line has no secret. */
export type Provider = { issuer: string; clientId: string };

export type Tokens = {
  accessToken: string;
  issuedAt: number;
  expiresAt: number;
  refreshToken?: string | undefined;
  /** The session at the provider, when its tokens name it. */
  sid?: string | undefined;
};

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether it is an address of this machine. */
export const isThisMachine = (address: string): boolean => loopback.test(new URL(address).hostname);

/** Whether nothing between here and there can read what is sent. */
export function isPrivateAddress(address: string): boolean {
  const { protocol } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && isThisMachine(address));
}

/** @throws CliError when the provider does not answer, or is not the one that was named */
export async function openProvider({ issuer, clientId }: Provider): Promise<oidc.Configuration> {
  if (!URL.canParse(issuer) || !isPrivateAddress(issuer))
    throw new CliError(`The identity provider "${issuer}" has no https address: its tokens could be read on the way.`);
  try {
    return await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
      timeout: timeoutS,
      // Of this machine only: any other address is https here.
      ...(new URL(issuer).protocol === 'http:' && { execute: [oidc.allowInsecureRequests] }),
    });
  } catch (error) {
    throw providerError(error, { issuer, clientId });
  }
}

/** The tokens of an answer, with their end by the clock of this machine. */
export function tokensIn(answer: oidc.TokenEndpointResponse, before?: Pick<Tokens, 'refreshToken' | 'sid'>): Tokens {
  const issuedAt = Date.now();
  return {
    accessToken: answer.access_token,
    issuedAt,
    // A provider need not say how long: five minutes are short enough, and a refresh costs little.
    expiresAt: issuedAt + (answer.expires_in ?? 300) * 1_000,
    refreshToken: answer.refresh_token ?? before?.refreshToken,
    sid: sidIn(answer.id_token) ?? sidIn(answer.access_token) ?? before?.sid,
  };
}

/** What a token says of the session. It is not verified: it only decides whether another one is ended. */
function sidIn(token: string | undefined): string | undefined {
  const claims = parseJson(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString());
  const sid = (claims as { sid?: unknown } | null | undefined)?.sid;
  return typeof sid === 'string' ? sid : undefined;
}

/** The code of a refusal (RFC 6749, section 5.2; RFC 8628, section 3.5), when the provider answered with one. */
export const refusalCode = (error: unknown): string | undefined =>
  error instanceof oidc.ResponseBodyError ? error.error : undefined;

/** Whether the provider could not be asked at all, so that the same request may succeed later. */
export function isUnreachable(error: unknown): boolean {
  const { name, cause, code } = error as Error & { code?: string };
  if (name === 'TimeoutError' || code === 'OAUTH_TIMEOUT') return true;
  if (cause instanceof Response) return cause.status >= 500;
  if (error instanceof TypeError) return (cause as { code?: string } | undefined)?.code !== undefined;
  return cause instanceof Error && isUnreachable(cause);
}

/** An error of the library, as a message for a person. It names the provider, and nothing of a token. */
export function providerError(error: unknown, { issuer, clientId }: Provider): CliError {
  const code = refusalCode(error);
  if (code === 'invalid_client' || code === 'unauthorized_client')
    return new CliError(
      `${issuer} does not let the client "${clientId}" sign people in (${code}). It must exist there as a public client with the device flow on; --client-id names another one.`,
      { cause: error },
    );
  if (code !== undefined) {
    const { error_description: detail } = error as oidc.ResponseBodyError;
    return new CliError(`${issuer} refused the sign-in: ${detail ? `${detail} (${code})` : code}.`, { cause: error });
  }
  if (isUnreachable(error))
    return new CliError(`The identity provider ${issuer} does not answer (${reasonOf(error)}). Try again later.`, {
      cause: error,
    });
  return new CliError(
    `${issuer} does not answer as an identity provider does (${reasonOf(error)}). Is the address right?`,
    { cause: error },
  );
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const inner = cause as { code?: string; cause?: { code?: string } } | undefined;
  return inner?.cause?.code ?? inner?.code ?? message;
}
