import { entryArguments } from '../runtime/entry-arguments.ts';
import { runMain } from '../runtime/main.ts';
import { runApi } from './compose.ts';

const usage = `node api/start.mjs      runs the HTTP API in a process of its own

  --help              this text

It listens at ALFRED_API_HOST:ALFRED_API_PORT, and needs DATABASE_URL and TEMPORAL_ADDRESS.
All variables: docs/reference/configuration.md
`;

entryArguments(usage, {});
await runMain(runApi);
