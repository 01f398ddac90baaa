import { runMain } from '../runtime/main.ts';
import { runApi } from './compose.ts';

// `node api/main.ts` runs the API in a process of its own.
await runMain(runApi);
