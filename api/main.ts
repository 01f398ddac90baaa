import { runMain } from '../runtime/main.ts';
import { runApi } from './compose.ts';

// `node api/main.ts`: the API as a process of its own.
await runMain(runApi);
