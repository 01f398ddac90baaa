import type { ApiClient } from './client/api-client.ts';
import type { Terminal } from './terminal/terminal.ts';

/** The parameter of every `addX`. An action sets `process.exitCode` when the command has not succeeded. */
export type CommandContext = { api: ApiClient; terminal: Terminal };
