import type { TokenClaims } from '../../contract/ports/index.ts';
import { everyRole } from '../../contract/roles.ts';
import { isScopeName } from '../../contract/rules/scopes.ts';
import { isRecord } from '../../contract/json.ts';
import type { IssuerSettings } from '../../runtime/identity-settings.ts';
import { invalid } from './read-jwt.ts';

type Json = Record<string, unknown>;

/** Subjects that are not people of an issuer: API keys, channels and people of Slack, the user of this machine. */
const reserved = /^((key|slack):.*|local)$/s;

/**
 * Reads who a verified token is about.
 *
 * @param otherNames names of the configured issuers: no issuer may give its people subjects or groups of another's
 * @throws AlfredError `token_invalid` with the claim that is missing or wrong as its cause, for the log
 */
export function readClaims(claims: Json, settings: IssuerSettings, otherNames: readonly string[]): TokenClaims {
  const own = settings.subjectClaims.map((path) => claimAt(claims, path)).find((value) => value !== undefined);
  const id = nameFrom(own, settings.subjectClaims.join(' or '));
  const isForeign = settings.name === undefined && otherNames.some((name) => id.startsWith(`${name}:`));
  if (reserved.test(id) || isForeign) throw invalid('its subject is one that Alfred gives itself');
  const { allowed } = settings;
  if (allowed && !allowed.values.includes(nameFrom(claimAt(claims, allowed.claim), allowed.claim)))
    throw invalid(`its claim \`${allowed.claim}\` is none of the allowed tenants`);
  const tenant =
    settings.tenant ?? nameFrom(claimAt(claims, settings.tenantClaim ?? ''), settings.tenantClaim ?? 'tenant');
  const { exp, iat } = claims;
  if (typeof exp !== 'number') throw invalid('it has no `exp`');
  // The newest token of a person decides what groups and roles they have.
  if (typeof iat !== 'number') throw invalid('it has no `iat`');
  return {
    principal: {
      tenant,
      subject: settings.name === undefined ? id : `${settings.name}:${id}`,
      kind: isService(claims) ? 'service' : 'person',
      // Here `*` stands for every role; what an identity provider calls so is left out.
      roles: listFrom(claims, settings.rolesClaim).filter((role) => role !== everyRole),
      groups: groupsFrom(claims, settings, otherNames),
      scopes: scopesIn(claims),
      via: 'oidc',
    },
    issuer: settings.issuer,
    issuedAt: new Date(iat * 1_000),
    expiresAt: new Date(exp * 1_000),
    namesGroups: namesGroups(claims, settings),
    email: emailIn(claims),
  };
}

/**
 * The value of a claim.
 *
 * @param path its name, also one with dots; or a path with dots; or a JSON pointer
 */
export function claimAt(claims: Json, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  const keys = path.startsWith('/')
    ? path
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    : path.split('.');
  return keys.reduce<unknown>(
    (value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    claims,
  );
}

function nameFrom(value: unknown, claim: string): string {
  if (value === undefined) throw invalid(`it lacks the claim \`${claim}\``);
  if (typeof value !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value))
    throw invalid(`its claim \`${claim}\` is not a text of up to 255 characters`);
  return value;
}

function listFrom(claims: Json, path: string | undefined): string[] {
  const value = path === undefined ? undefined : claimAt(claims, path);
  if (value === undefined || value === null) return [];
  const names = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(names)) throw invalid(`its claim \`${path}\` is not a list of names`);
  return [...new Set(names.map((name) => nameFrom(name, path ?? '')))];
}

/** Groups belong to an issuer, as subjects do: an issuer with a name cannot put its people into groups of another. */
function groupsFrom(claims: Json, { name, groupsClaim }: IssuerSettings, otherNames: readonly string[]): string[] {
  const groups = listFrom(claims, groupsClaim);
  if (name !== undefined) return groups.map((group) => `${name}:${group}`);
  return groups.filter((group) => !otherNames.some((other) => group.startsWith(`${other}:`)));
}

/**
 * Whether a token says what groups its person has. One of a client without a mapper for them does not. Entra ID leaves
 * the claim out for a person without groups; for one with too many it says where they are to be asked for.
 */
function namesGroups(claims: Json, { groupsClaim, omitsEmptyGroups }: IssuerSettings): boolean {
  if (groupsClaim === undefined) return false;
  const elsewhere = claims['_claim_names'];
  if ((isRecord(elsewhere) && Object.hasOwn(elsewhere, groupsClaim)) || claims['hasgroups'] === true) return false;
  return omitsEmptyGroups || (claimAt(claims, groupsClaim) ?? undefined) !== undefined;
}

/** Tokens of a client without the scope `email` have neither claim, and say nothing of the address. */
function emailIn({ email, email_verified: isVerified }: Json): string | null | undefined {
  if (email === undefined && isVerified === undefined) return undefined;
  return isVerified === true && typeof email === 'string' ? email : null;
}

/**
 * The scopes that limit what the token is for. Others, like `openid`, say nothing about Alfred. Some providers put the
 * address of the API before a scope.
 */
function scopesIn({ scope, scp }: Json): string[] {
  const names = [scope, scp].flatMap((given) =>
    typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given.map(String) : [],
  );
  return [...new Set(names.map((name) => name.slice(name.lastIndexOf('/') + 1)).filter(isScopeName))];
}

/**
 * Whether a program signed in with its own credentials. RFC 9068 gives it its client id as subject; Auth0 says it in
 * `gty`, Entra ID in `idtyp`, and Keycloak names the client only then.
 */
function isService({ sub, azp, cid, client_id: clientId, gty, idtyp, preferred_username: username }: Json): boolean {
  return (
    (sub !== undefined && [azp, cid, clientId].includes(sub)) ||
    gty === 'client-credentials' ||
    idtyp === 'app' ||
    (clientId !== undefined && typeof username === 'string' && username.startsWith('service-account-'))
  );
}
