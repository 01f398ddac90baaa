import type { z } from 'zod';

/** An agent is data: what it is told, what it may do, what goes in and what comes out. */
export type Agent = {
  description: string;
  instructions: string;
  /** Names of the tools it may call. */
  tools: readonly string[];
  /** Turns of the model loop before it gives up. */
  maxSteps: number;
  input: z.ZodType<AgentInput>;
  output: z.ZodType;
  /** When given, the model answers with one JSON value that fits it, which becomes the result's `data`. */
  answer?: z.ZodType;
};

/** What every agent's input comes down to: words, and perhaps a tool to begin with. */
export type AgentInput = { text: string; tool?: { name: string; arguments: Record<string, unknown> } | undefined };
