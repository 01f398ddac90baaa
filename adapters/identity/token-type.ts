import { AlfredError } from '../../contract/errors.ts';
import type { IssuerSettings } from '../../runtime/identity-settings.ts';
import type { Jwt } from './read-jwt.ts';

/** RFC 9068, and what providers send that have not got there. */
const accessTypes = ['at+jwt', 'application/at+jwt', 'jwt'];
/** Claims that OpenID Connect Core gives to ID tokens, and `events` of logout tokens: no access token has them. */
const claimsOfOthers = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];

type Settings = Pick<IssuerSettings, 'mayLackTyp' | 'accessClaims' | 'sendsIdTokens'>;

/**
 * Refuses tokens that an issuer signs for other purposes. An ID token says to a program who its user is: a program that
 * got one could else act as that user here.
 *
 * @throws AlfredError `token_type`
 */
export function refuseOtherTokens({ header, claims }: Jwt, settings: Settings): void {
  const { typ } = header;
  if (typ === undefined ? !settings.mayLackTyp : !accessTypes.includes(lowerCase(typ)))
    throw refused('`typ` of its header is not that of an access token');
  if (settings.sendsIdTokens) {
    if ('events' in claims) throw refused('it has the claim `events`');
    return;
  }
  const other = claimsOfOthers.find((name) => name in claims);
  if (other !== undefined) throw refused(`it has the claim \`${other}\``);
  // Keycloak and Amazon Cognito name the purpose in a claim.
  if (claims['typ'] !== undefined && lowerCase(claims['typ']) !== 'bearer')
    throw refused('the claim `typ` names another purpose');
  if (claims['token_use'] !== undefined && lowerCase(claims['token_use']) !== 'access')
    throw refused('the claim `token_use` names another purpose');
  const { accessClaims } = settings;
  if (accessClaims && !accessClaims.some((name) => name in claims))
    throw refused(`it lacks the claim \`${accessClaims.join('` or `')}\``);
}

/** The empty text stands for what is no text. */
const lowerCase = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : '');

const refused = (reason: string) =>
  new AlfredError('token_type', undefined, { cause: new Error(`The token was refused: ${reason}.`) });
