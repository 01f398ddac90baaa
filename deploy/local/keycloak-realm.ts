import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** A person who signs in at the Keycloak of a local stack. */
export type DemoUser = { name: string; password: string; roles: readonly string[]; groups: readonly string[] };

const demoUsers: readonly Omit<DemoUser, 'password'>[] = [
  { name: 'ada', roles: ['viewer', 'developer', 'operator', 'admin'], groups: ['/staff', '/board'] },
  { name: 'bert', roles: ['viewer', 'developer'], groups: ['/staff'] },
  { name: 'carla', roles: ['viewer'], groups: [] },
];

/** Clients with a secret, which the local realm gives them. */
const secretClients = ['alfred-console', 'alfred-worker'] as const;

const Secrets = z.object({
  /** Of the administrator of Keycloak itself. */
  admin: z.string(),
  users: z.record(z.string(), z.string()),
  clients: z.record(z.string(), z.string()),
  /** Encrypts the tokens of browser sessions. */
  sessionKey: z.string(),
});
export type RealmSecrets = z.infer<typeof Secrets>;

/** Reads the secrets of a local realm, or makes them at its first start. Only this user can read the file. */
export async function readOrCreateSecrets(file: string): Promise<RealmSecrets> {
  const made: RealmSecrets = {
    admin: newSecret(),
    users: Object.fromEntries(demoUsers.map(({ name }) => [name, newSecret()])),
    clients: Object.fromEntries(secretClients.map((name) => [name, newSecret()])),
    sessionKey: randomBytes(32).toString('base64'),
  };
  try {
    await writeFile(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return Secrets.parse(JSON.parse(await readFile(file, 'utf8')));
  }
}

/** 96 bits, in letters that are easy to type. */
const newSecret = () =>
  randomBytes(12)
    .toString('hex')
    .replace(/.{6}(?=.)/g, '$&-');

export const peopleOf = ({ users }: RealmSecrets): DemoUser[] =>
  demoUsers.map((user) => ({ ...user, password: users[user.name] ?? '' }));

type Realm = { clients: { clientId: string; [key: string]: unknown }[]; users: object[]; [key: string]: unknown };

/**
 * The realm that we ship, for this machine: with people, secrets of clients, and over http on loopback.
 *
 * @param apiUrl where browsers reach the API
 */
export function localRealm(realm: Realm, secrets: RealmSecrets, apiUrl: string): Realm {
  const groups = [...new Set(demoUsers.flatMap((user) => user.groups))].map((path) => ({ name: path.slice(1) }));
  const local = {
    ...realm,
    // Over http on loopback and private networks; the realm that we ship takes https alone.
    sslRequired: 'external',
    groups,
    clients: realm.clients.map((client) => {
      const secret = secrets.clients[client.clientId];
      return secret === undefined ? client : { ...client, secret };
    }),
    users: [...realm.users, ...peopleOf(secrets).map(userOf)],
  };
  const replaced = JSON.stringify(local).replaceAll(/\$\{ALFRED_PUBLIC_URL:[^}]*\}/g, apiUrl);
  return JSON.parse(replaced) as Realm;
}

const userOf = ({ name, password, roles, groups }: DemoUser) => ({
  username: name,
  enabled: true,
  email: `${name}@example.com`,
  emailVerified: true,
  firstName: name[0]?.toUpperCase() + name.slice(1),
  lastName: 'Example',
  credentials: [{ type: 'password', value: password, temporary: false }],
  // The role of everybody there: among other things it allows sign-ins that last, as `alfred login` asks for.
  realmRoles: ['default-roles-alfred', ...roles],
  groups,
});
