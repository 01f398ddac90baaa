import type { ApiClient } from './client/api-client.ts';
import type { Terminal } from './terminal/terminal.ts';

/** What every command works with. An action sets `process.exitCode` when it ends otherwise than well. */
export type Context = { api: ApiClient; terminal: Terminal };
