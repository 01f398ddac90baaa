import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { createSignInStore } from '../login/sign-in-store.ts';
import { findStack, tokenOf } from '../stack.ts';

export function addLogout(program: Command, context: CommandContext) {
  program
    .command('logout')
    .description('end the sign-in of `alfred login`, here and at the identity provider')
    .action(() => logout(context));
}

/** The tokens are deleted first: they are gone from this machine also when the provider does not answer. */
async function logout({ terminal }: CommandContext) {
  const { url } = await findStack();
  const store = createSignInStore();
  const stored = await store.locked(url, async () => {
    const signIn = await store.read(url);
    await store.remove(url);
    return signIn;
  });
  if (!stored) {
    terminal.note(`You were not signed in to Alfred at ${url} with \`alfred login\`.`);
  } else {
    const { revoke } = await import('../login/revoke.ts');
    const isRevoked = await revoke(stored).catch((error: Error) => {
      throw new CliError(
        `The tokens were deleted here, but the sign-in was not ended at ${stored.issuer}: ${error.message}`,
        { cause: error },
      );
    });
    terminal.note(
      isRevoked
        ? `Signed out of Alfred at ${url}.`
        : `The tokens were deleted here. ${stored.issuer} has no way to end the sign-in: end it on the pages of your account there.`,
    );
  }
  if (tokenOf() !== undefined) terminal.note('ALFRED_TOKEN is still set, and counts.');
}
