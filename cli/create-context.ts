import { createApiClient } from './client/api-client.ts';
import type { CommandContext } from './command-context.ts';
import { findStack, tokenOf } from './stack.ts';
import { createTerminal } from './terminal/terminal.ts';

export const createContext = (): CommandContext => ({
  terminal: createTerminal(),
  api: createApiClient(
    () => findStack(),
    () => tokenOf(),
  ),
});
