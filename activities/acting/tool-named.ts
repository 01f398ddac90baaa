import type { Tool } from '../../contract/ports/index.ts';

/** The tool of that name. A model may ask for anything, also for what every object has. */
export const toolNamed = (tools: Record<string, Tool>, name: string): Tool | undefined =>
  Object.hasOwn(tools, name) ? tools[name] : undefined;
