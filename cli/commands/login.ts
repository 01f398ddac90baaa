import type { Command } from 'commander';
import { Me } from '../../contract/api-keys.ts';
import { createApiClient } from '../client/api-client.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { findSignIn, type SignInOptions } from '../login/find-sign-in.ts';
import { createSignInStore, type StoredSignIn } from '../login/sign-in-store.ts';
import { findStack, tokenOf, type Stack } from '../stack.ts';
import { onInterrupt } from '../terminal/interrupt.ts';

type LoginOptions = SignInOptions & { json?: boolean; yes?: boolean };

export function addLogin(program: Command, context: CommandContext) {
  program
    .command('login')
    .description('sign in by a browser, on this machine or another one; all commands then act as you')
    .option('--issuer <url>', 'identity provider; default: the one that the API names')
    .option('--client-id <id>', 'client there for the command line; default: the one that the API names')
    .option('--yes', 'do not ask before the first sign-in at an address')
    .option('--json', 'print who signed in as JSON')
    .action((options: LoginOptions) => login(options, context));
}

async function login({ json, yes, ...options }: LoginOptions, { terminal }: CommandContext) {
  const stack = await findStack();
  const [{ signInByDevice }, { isPrivateAddress }, { confirmSignIn }] = await Promise.all([
    import('../login/device-flow.ts'),
    import('../login/provider.ts'),
    import('../login/confirm-sign-in.ts'),
  ]);
  if (!isPrivateAddress(stack.url))
    throw usageError(`Your token could be read on the way to ${stack.url}. Set ALFRED_URL to an https address.`);
  const device = await findSignIn(stack, options);
  const interrupted = new AbortController();
  const stopWatching = onInterrupt(
    () => interrupted.abort(),
    () => process.exit(exitCodes.cancelled),
  );
  try {
    const { signal } = interrupted;
    const before = await createSignInStore().read(stack.url);
    await confirmSignIn({ url: stack.url, device, before, isConfirmed: yes === true, signal }, terminal);
    const tokens = await signInByDevice(device, terminal, signal);
    const signIn = { ...tokens, issuer: device.issuer, clientId: device.client_id, parameters: device.parameters };
    const me = await askWho(stack, signIn);
    await keep(stack, signIn);
    if (json) terminal.printJson(me);
    else terminal.note(`Signed in as ${me.subject} of ${me.tenant}, with ${rolesOf(me)}.`);
    if (tokenOf() !== undefined) terminal.note('ALFRED_TOKEN is set, and counts before this sign-in: unset it.');
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    throw new CliError('The sign-in was given up. Nothing was stored.', { exitCode: exitCodes.cancelled });
  } finally {
    stopWatching();
  }
}

/** Asks the API who has signed in. What it refuses is not kept, and given back to the provider. */
async function askWho(stack: Stack, signIn: Omit<StoredSignIn, 'api'>): Promise<Me> {
  const api = createApiClient(
    async () => stack,
    async () => ({ token: signIn.accessToken, from: 'alfred login' }),
  );
  try {
    return await api.call('/v1/me', { answer: Me });
  } catch (error) {
    await (await import('../login/revoke.ts')).revoke(signIn).catch(() => undefined);
    throw error;
  }
}

/**
 * Whether two sign-ins may be of one session at the provider: some end all tokens of a session with one of its refresh
 * tokens.
 */
function mayShareSession(one: Omit<StoredSignIn, 'api'>, other: Omit<StoredSignIn, 'api'>): boolean {
  if (one.issuer !== other.issuer) return false;
  if (one.sid !== undefined && other.sid !== undefined) return one.sid === other.sid;
  return one.clientId === other.clientId;
}

/** The sign-in of before is ended at the provider: it would go on for weeks, and no command would know of it. */
async function keep({ url }: Stack, signIn: Omit<StoredSignIn, 'api'>): Promise<void> {
  const store = createSignInStore();
  await store.locked(url, async () => {
    const before = await store.read(url);
    await store.write(signIn, url);
    if (before && !mayShareSession(before, signIn))
      await (await import('../login/revoke.ts')).revoke(before).catch(() => undefined);
  });
}

const rolesOf = ({ roles }: Pick<Me, 'roles'>) =>
  roles.length === 0 ? 'no roles' : `the role${roles.length === 1 ? '' : 's'} ${roles.join(', ')}`;
