import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { StepFailure } from '../step-failure.ts';

/** How to run a program as the user that Postgres runs as. */
export type RunAs = {
  /** The user that must own the data, when it is not the current user. */
  owner?: { uid: number; gid: number };
  wrap(
    command: string,
    args: readonly string[],
  ): { command: string; args: readonly string[]; options: { uid?: number; gid?: number } };
};

const asCurrentUser: RunAs = { wrap: (command, args) => ({ command, args, options: {} }) };

/**
 * Chooses the user that Postgres runs as, because Postgres refuses to run as root. For root it is an ordinary user of
 * this machine: the owner of the data, else `postgres`, else the system's unprivileged user. That user must be able to
 * reach the programs and the data. Where a parent folder is closed to other users, as /root usually is, the programs
 * get the capability to pass through closed folders.
 *
 * @param paths   existing paths that the user must be able to reach
 * @param dataDir keeps its owner, if it exists
 * @throws StepFailure when there is no such user or it cannot reach the paths
 */
export function postgresUser(paths: readonly string[], dataDir: string): RunAs {
  if (process.getuid?.() !== 0) return asCurrentUser;
  const owner = ownerOf(dataDir) ?? userNamed('postgres') ?? userNamed('nobody');
  if (!owner) {
    throw new StepFailure(
      'Postgres does not run as root, and this machine has neither a user "postgres" nor "nobody" to run it as.',
      [
        'run npm start as an ordinary user, or create one: useradd --system postgres',
        'or set DATABASE_URL to a Postgres that runs elsewhere',
      ],
    );
  }
  const direct: RunAs = { owner, wrap: (command, args) => ({ command, args, options: owner }) };
  if (canReach(direct, paths)) return direct;
  for (const capability of ['dac_read_search', 'dac_override']) {
    // Without this securebit the access() system call ignores the capability, and Postgres does not find its own
    // program.
    const identity = [
      `--reuid=${owner.uid}`,
      `--regid=${owner.gid}`,
      '--clear-groups',
      '--securebits=+no_setuid_fixup',
    ];
    const prefix = [...identity, `--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`, '--'];
    const privileged: RunAs = {
      owner,
      wrap: (command, args) => ({ command: 'setpriv', args: [...prefix, command, ...args], options: {} }),
    };
    if (canReach(privileged, paths)) return privileged;
  }
  throw new StepFailure(
    `Postgres does not run as root, and the user it would run as (uid ${owner.uid}) cannot reach ${paths.join(' or ')}: a folder above is closed to others.`,
    [
      'move the clone to a folder that others may enter, like /srv or /opt, or run npm start as an ordinary user',
      'or set DATABASE_URL to a Postgres that runs elsewhere',
    ],
  );
}

function canReach(runAs: RunAs, paths: readonly string[]): boolean {
  return paths.every((path) => {
    const { command, args, options } = runAs.wrap('test', ['-x', path]);
    try {
      execFileSync(command, [...args], { ...options, stdio: 'ignore', cwd: '/' });
      return true;
    } catch {
      return false;
    }
  });
}

function ownerOf(dataDir: string) {
  if (!existsSync(dataDir)) return undefined;
  const { uid, gid } = statSync(dataDir);
  return uid === 0 ? undefined : { uid, gid };
}

function userNamed(name: string) {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}
