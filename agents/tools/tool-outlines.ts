import type { Tool } from '../../contract/ports/index.ts';
import { actingToolNames, noteToolNames, toolNames } from './tool-names.ts';

/** The tools that agents share, as far as their approval rules need them: also in a process that cannot run them. */
export const toolOutlines: Readonly<Record<string, Tool>> = Object.fromEntries(
  toolNames.map((name) => [
    name,
    {
      name,
      description: '',
      inputSchema: {},
      ...(actingToolNames.includes(name) ? { effect: 'write' as const } : {}),
      ...(noteToolNames.includes(name) ? { needsNoRule: true as const } : {}),
      run: () => Promise.reject(new Error(`${name} cannot run here`)),
    },
  ]),
);
