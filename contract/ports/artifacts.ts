import type { Artifact } from '../artifacts.ts';
import type { Scope } from '../references.ts';

/** An artifact with its content, which is read while it is taken. */
export type OpenArtifact = { artifact: Artifact; content: AsyncIterable<Buffer> };

/** The files that tasks have made. They are stored with the results of tool calls. */
export interface Artifacts {
  /**
   * Lists the files of a task and of all tasks below it, oldest first.
   *
   * @returns an empty list when there is no such task
   */
  list(owner: Scope, taskId: string): Promise<Artifact[]>;

  /**
   * Opens a file of a task, or of a task below it.
   *
   * @returns undefined when there is none
   */
  open(owner: Scope, taskId: string, artifactId: string): Promise<OpenArtifact | undefined>;
}
