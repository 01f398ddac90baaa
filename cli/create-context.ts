import { createApiClient } from './client/api-client.ts';
import type { CommandContext } from './command-context.ts';
import { createSignInStore } from './login/sign-in-store.ts';
import { storedCredential } from './login/stored-credential.ts';
import { findStack, tokenOf } from './stack.ts';
import { createTerminal } from './terminal/terminal.ts';

export function createContext(): CommandContext {
  const signIns = createSignInStore();
  return {
    terminal: createTerminal(),
    api: createApiClient(
      () => findStack(),
      async (stack) => {
        const token = tokenOf();
        return token === undefined ? storedCredential(stack, signIns) : { token, from: 'ALFRED_TOKEN' };
      },
    ),
  };
}
