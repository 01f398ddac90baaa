import type { NewArtifact } from '../artifacts.ts';
import type { JsonValue } from '../json.ts';

/** A small JavaScript program, and the value that it reads as `inputs`. Programs of several tenants take turns. */
export type Program = { code: string; inputs?: JsonValue | undefined; tenant?: string };

/**
 * What became of a program. `printed`: what it printed until its end. `error`: what was wrong, with the line, for who
 * wrote the program.
 */
export type ProgramOutcome = { printed: string } & (
  { error: string } | { result: JsonValue; artifacts: readonly NewArtifact[] }
);

/** Runs programs that no person has looked at: without a network, files and a clock. */
export interface Sandbox {
  /**
   * Runs a program within limits of time, memory and output. The same program with the same inputs has the same
   * outcome.
   *
   * @throws AlfredError `tool_failed` when the interpreter itself breaks; the reason of the signal's abort
   */
  run(program: Program, signal: AbortSignal): Promise<ProgramOutcome>;
}
