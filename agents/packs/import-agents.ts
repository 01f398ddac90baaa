import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import type { Pack } from './find-pack.ts';
import { PackFault } from './pack-fault.ts';
import { resolveSurfaceFor } from './resolve-surface.ts';
import { isMade } from './surface/check-definition.ts';
import type { AgentDefinition, Settings, ToolDefinition } from './surface/types.ts';

export type DefinedTool = ToolDefinition<z.ZodType, Settings>;
export type DefinedAgent = Omit<AgentDefinition<z.ZodType>, 'tools'> & { tools: readonly (string | DefinedTool)[] };

/**
 * Runs the modules of a pack.
 *
 * @returns its agents by name
 * @throws PackFault that names the file
 */
export async function importAgents({ folder, files }: Pack): Promise<Record<string, DefinedAgent>> {
  resolveSurfaceFor(folder);
  const agents: Record<string, DefinedAgent> = {};
  for (const [name, file] of Object.entries(files)) agents[name] = await importAgent(file, relative(folder, file));
  return agents;
}

async function importAgent(file: string, shown: string): Promise<DefinedAgent> {
  const module = await (import(pathToFileURL(file).href) as Promise<Record<string, unknown>>).catch(
    (error: unknown) => {
      throw new PackFault(`${shown} cannot be loaded: ${describeFailure(error)}`, { cause: error });
    },
  );
  const exported = Object.entries(module).filter(([, value]) => isMade(value, 'agent'));
  const [, agent] = exported.find(([key]) => key === 'default') ?? exported[0] ?? [];
  if (agent === undefined)
    throw new PackFault(`${shown} exports no agent: expected \`export default defineAgent({…})\``);
  const different = new Set(exported.map(([, value]) => value));
  if (different.size > 1) throw new PackFault(`${shown} exports ${different.size} agents: expected one a folder`);
  const { definition } = agent as { definition: AgentDefinition<z.ZodType> };
  return { ...definition, tools: definition.tools.map(definitionOf) };
}

const definitionOf = (tool: AgentDefinition<z.ZodType>['tools'][number]): string | DefinedTool =>
  typeof tool === 'string' ? tool : (tool as unknown as { definition: DefinedTool }).definition;

/** The message of an error of a pack's own code, with the place in its files where it arose. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack = '' } = error;
  const place = /file:\/\/(\/\S+?:\d+)/.exec(stack)?.[1];
  const [first = ''] = message.split('\n');
  const text = name === 'Error' ? first : `${name}: ${first}`;
  return place === undefined || place.includes('/agents/packs/surface/') ? text : `${text} (${place})`;
}
