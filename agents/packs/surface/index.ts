// What a pack may import: `import { defineAgent, defineTool, z } from 'alfred/agent'`.
import { AlfredError } from '../../../contract/errors.ts';
import { checkAgentDefinition, checkToolDefinition } from './check-definition.ts';
import type { DefineAgent, DefineTool, MakeToolError, ToolErrorCode } from './types.ts';

export { z } from 'zod';
export type * from './types.ts';

/** The version of this surface. A pack names the one that it was written for: `"alfred": {"surface": 1}`. */
export const surfaceVersion = 1;

/**
 * Defines a tool of an agent.
 *
 * @throws Error that names the field which is missing or wrong
 */
export const defineTool: DefineTool = (definition) => {
  checkToolDefinition(definition);
  return Object.freeze({ alfred: 'tool', name: definition.name, definition });
};

/**
 * Defines an agent. It is the default export of `agents/<name>/agent.ts`.
 *
 * @throws Error that names the field which is missing or wrong
 */
export const defineAgent: DefineAgent = (definition) => {
  checkAgentDefinition(definition);
  return Object.freeze({ alfred: 'agent', definition });
};

const toolErrorCodes: readonly ToolErrorCode[] = [
  'invalid_request',
  'tool_failed',
  'destination_refused',
  'effect_unknown',
];

/** An error of a tool whose message the model or a person reads. It is content: histories and logs get the code. */
export const toolError: MakeToolError = (code, message) => {
  if (!toolErrorCodes.includes(code))
    throw new Error(`toolError takes ${toolErrorCodes.join(', ')}, and not "${code}"`);
  return new AlfredError(code, undefined, { fullMessage: message });
};
