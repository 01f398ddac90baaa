// Plain JavaScript: the TypeScript of main.ts needs Node 24, and an older one has to say so.
import { requireNode } from '../runtime/require-node.mjs';

requireNode('slack/start.mjs');
await import('./main.ts');
