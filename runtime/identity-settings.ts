import { z } from 'zod';

/** Identity providers whose claims are known. `generic` is any other one. */
export const oidcProviders = ['generic', 'keycloak', 'entra', 'okta', 'auth0', 'google'] as const;
export type OidcProvider = (typeof oidcProviders)[number];

/**
 * Where each provider puts what Alfred needs to know; docs/reference/sign-in.md has the same as a table.
 *
 * - `subject`: the claims that identify a person for ever; the first one that a token has counts.
 * - `mayLackTyp`: its access tokens have no `typ` in their header.
 * - `accessClaims`: its access tokens have one of these, and its ID tokens none.
 * - `omitsEmptyGroups`: it leaves the claim with the groups out for a person who has none.
 * - `sendsIdTokens`: its access tokens are no JWTs, so programs send ID tokens.
 * - `issuerOfAll`: the issuer of everybody who opens an account there; only tenants that are named may sign in.
 */
const claimsOf: Record<
  OidcProvider,
  {
    subject: readonly string[];
    tenant?: string;
    roles?: string;
    groups?: string;
    mayLackTyp?: true;
    accessClaims?: readonly string[];
    omitsEmptyGroups?: true;
    sendsIdTokens?: true;
    issuerOfAll?: string;
  }
> = {
  generic: { subject: ['sub'], roles: 'roles', groups: 'groups' },
  // Its mapper for groups writes no claim for a person without groups.
  keycloak: { subject: ['sub'], roles: 'realm_access.roles', groups: 'groups', omitsEmptyGroups: true },
  entra: {
    subject: ['oid'],
    tenant: 'tid',
    roles: 'roles',
    groups: 'groups',
    // Of tokens of its versions 2.0 and 1.0.
    accessClaims: ['azp', 'appid'],
    omitsEmptyGroups: true,
  },
  okta: { subject: ['uid', 'sub'], groups: 'groups', mayLackTyp: true, accessClaims: ['cid'] },
  auth0: { subject: ['sub'], tenant: 'org_id', roles: 'permissions' },
  google: { subject: ['sub'], tenant: 'hd', sendsIdTokens: true, issuerOfAll: 'https://accounts.google.com' },
};

const ClaimPath = z
  .string()
  .regex(/^\S(.{0,254}\S)?$/, 'expected the name of a claim, like roles, realm_access.roles or /realm_access/roles');
const Name = z.string().regex(/^[^\p{Cc}]{1,200}$/u, 'expected 1 to 200 characters, no control characters');

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** An issuer as its tokens name it. Who can change its keys on the way can sign in as anybody, hence https. */
const IssuerAddress = z.string().refine(
  (value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, hostname, search, hash, username } = new URL(value);
    const isSafe = protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
    return isSafe && search === '' && hash === '' && username === '';
  },
  { error: 'expected https://host/path as the tokens have it in `iss`; http:// only for this machine' },
);

const OneIssuer = z.strictObject({
  issuer: IssuerAddress,
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'expected small letters, digits and -')
    .refine((name) => name !== 'key', 'expected another name: subjects that begin with key: are API keys')
    .refine((name) => name !== 'slack', 'expected another name: subjects that begin with slack: are those of Slack')
    .optional(),
  audience: z.union([Name, z.array(Name).min(1).max(20)]).optional(),
  provider: z.enum(oidcProviders).optional(),
  tenant: Name.optional(),
  tenantClaim: ClaimPath.optional(),
  tenants: z.array(Name).min(1).max(1_000).optional(),
  rolesClaim: ClaimPath.optional(),
  groupsClaim: ClaimPath.optional(),
});

/** OIDC_ISSUER: one address, or a JSON list of issuers with settings of their own. */
export const Issuers = z
  .string()
  .transform((text, context): unknown => {
    if (!text.trimStart().startsWith('[')) return [{ issuer: text }];
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON: names and texts stand in double quotes' });
      return z.NEVER;
    }
  })
  .pipe(z.array(OneIssuer).min(1).max(20));

export const ClaimName = ClaimPath;
export const TenantName = Name;

/** The variables as they are parsed. */
type OidcVariables = {
  OIDC_ISSUER?: z.infer<typeof Issuers> | undefined;
  OIDC_AUDIENCE: string[];
  OIDC_PROVIDER: OidcProvider;
  OIDC_TENANT?: string | undefined;
  OIDC_TENANT_CLAIM?: string | undefined;
  OIDC_TENANTS?: string[] | undefined;
  OIDC_ROLES_CLAIM?: string | undefined;
  OIDC_GROUPS_CLAIM?: string | undefined;
  OIDC_CLI_CLIENT_ID?: string | undefined;
};

/** An issuer whose tokens count, and how to read them. Claims are names, dotted paths or JSON pointers. */
export type IssuerSettings = {
  issuer: string;
  /** Stands before its subjects, so that the same `sub` of two issuers is two people. */
  name: string | undefined;
  audience: string[];
  provider: OidcProvider;
  subjectClaims: readonly string[];
  /** The tenant of all who sign in, or else the claim that names it. */
  tenant: string | undefined;
  tenantClaim: string | undefined;
  /** What the claim with the tenant may say, also where `tenant` counts in its place. */
  allowed: { claim: string; values: readonly string[] } | undefined;
  rolesClaim: string | undefined;
  groupsClaim: string | undefined;
  mayLackTyp: boolean;
  accessClaims: readonly string[] | undefined;
  omitsEmptyGroups: boolean;
  sendsIdTokens: boolean;
};

/** The issuers. Settings of its own count before the variables, and those before what its provider has. */
export const issuersOf = (variables: OidcVariables): IssuerSettings[] =>
  (variables.OIDC_ISSUER ?? []).map((own, _i, { length }) => {
    const provider = own.provider ?? variables.OIDC_PROVIDER;
    const defaults = claimsOf[provider];
    const hasOwnTenant = own.tenant !== undefined || own.tenantClaim !== undefined;
    const tenantClaim = own.tenantClaim ?? variables.OIDC_TENANT_CLAIM ?? defaults.tenant;
    // One list for several issuers would let each of them name the tenants of the others.
    const values = own.tenants ?? (length === 1 ? (variables.OIDC_TENANTS ?? []) : []);
    return {
      issuer: own.issuer,
      name: own.name,
      audience: own.audience === undefined ? variables.OIDC_AUDIENCE : [own.audience].flat(),
      provider,
      subjectClaims: defaults.subject,
      tenant: hasOwnTenant ? own.tenant : variables.OIDC_TENANT,
      tenantClaim: hasOwnTenant ? own.tenantClaim : tenantClaim,
      allowed:
        values.length === 0
          ? undefined
          : { claim: (defaults.issuerOfAll === undefined ? tenantClaim : defaults.tenant) ?? '', values },
      rolesClaim: own.rolesClaim ?? variables.OIDC_ROLES_CLAIM ?? defaults.roles,
      groupsClaim: own.groupsClaim ?? variables.OIDC_GROUPS_CLAIM ?? defaults.groups,
      mayLackTyp: defaults.mayLackTyp ?? false,
      accessClaims: defaults.accessClaims,
      omitsEmptyGroups: defaults.omitsEmptyGroups ?? false,
      sendsIdTokens: defaults.sendsIdTokens ?? false,
    };
  });

type Fault = { variable: keyof OidcVariables; message: string };

/** What is wrong with the variables together. */
export function oidcFaults(variables: OidcVariables): Fault[] {
  const issuers = issuersOf(variables);
  if (issuers.length === 0) {
    const needless = (
      [
        'OIDC_AUDIENCE',
        'OIDC_TENANT',
        'OIDC_TENANT_CLAIM',
        'OIDC_TENANTS',
        'OIDC_ROLES_CLAIM',
        'OIDC_GROUPS_CLAIM',
        'OIDC_CLI_CLIENT_ID',
      ] as const
    ).filter((name) => (variables[name]?.length ?? 0) > 0);
    return needless.map((variable) => ({ variable, message: 'expected together with OIDC_ISSUER' }));
  }
  const isOne = issuers.length === 1;
  const faults = issuers.flatMap((settings) => [...faultsOfIssuer(settings), ...faultsOfTenants(settings, isOne)]);
  if (!isOne && (variables.OIDC_TENANTS ?? []).length > 0)
    faults.push({
      variable: 'OIDC_TENANTS',
      message: 'is for one issuer: of several, give each its own list `tenants` in OIDC_ISSUER',
    });
  return [...faults, ...faultsOfNames(issuers)];
}

function faultsOfIssuer({ issuer, audience, provider, tenant, tenantClaim }: IssuerSettings): Fault[] {
  const faults: Fault[] = [];
  if (audience.length === 0)
    faults.push({
      variable: 'OIDC_AUDIENCE',
      message: `is needed: what the tokens of ${issuer} have in \`aud\` when they are for Alfred`,
    });
  if (tenant === undefined && tenantClaim === undefined)
    faults.push({
      variable: 'OIDC_TENANT',
      message: `is needed: the tenant of all who sign in at ${issuer}, or OIDC_TENANT_CLAIM, the claim that names it`,
    });
  const owner = oidcProviders.find((name) => claimsOf[name].issuerOfAll === issuer.replace(/\/$/, ''));
  if (owner !== undefined && owner !== provider)
    faults.push({
      variable: 'OIDC_PROVIDER',
      message: `expected ${owner} for ${issuer} (or \`provider\` in OIDC_ISSUER)`,
    });
  return faults;
}

/** An issuer names only tenants that are its own. */
function faultsOfTenants({ issuer, provider, tenant, tenantClaim, allowed }: IssuerSettings, isOne: boolean): Fault[] {
  const list = isOne
    ? ({ variable: 'OIDC_TENANTS', name: 'OIDC_TENANTS' } as const)
    : ({ variable: 'OIDC_ISSUER', name: '`tenants`' } as const);
  const fault = (message: string) => [{ variable: list.variable, message }];
  const { issuerOfAll, tenant: ownClaim } = claimsOf[provider];
  if (issuerOfAll !== undefined) {
    if (allowed === undefined)
      return fault(
        `${isOne ? 'is needed' : 'needs `tenants`'}: the values of \`${ownClaim}\` that may sign in at ${issuer}, where everybody can have an account`,
      );
    if (tenant === undefined && tenantClaim !== ownClaim)
      return [
        { variable: 'OIDC_TENANT_CLAIM', message: `expected ${ownClaim} for ${issuer}: there it names the tenant` },
      ];
  }
  if (allowed?.claim === '')
    return fault(`${list.name} of ${issuer} lists values of a claim, and OIDC_TENANT_CLAIM does not say which`);
  if (!isOne && tenant === undefined && allowed === undefined)
    return fault(
      `needs \`tenant\` or \`tenants\` for ${issuer}: the tenant of all who sign in there, or a list of those that its tokens may name; else each of several issuers could name the tenant of another`,
    );
  return [];
}

function faultsOfNames(issuers: IssuerSettings[]): Fault[] {
  const faults: Fault[] = [];
  for (const key of ['issuer', 'name'] as const) {
    const [twice] = [...Map.groupBy(issuers, (one) => one[key])].filter(([, same]) => same.length > 1);
    if (!twice) continue;
    const message =
      key === 'issuer'
        ? `names ${twice[0]} twice`
        : twice[0] === undefined
          ? 'has two issuers without `name`: give one to each but the oldest, so that the same subject of two issuers is two people'
          : `gives two issuers the name ${twice[0]}`;
    faults.push({ variable: 'OIDC_ISSUER', message });
  }
  return faults;
}
