import type { Logger } from '../../runtime/logger.ts';

export type Cleanup = ReturnType<typeof createCleanup>;

/** Collects what must be undone at the end. Parts are undone newest first; a failure does not stop the others. */
export function createCleanup() {
  const parts: { name: string; undo: () => unknown }[] = [];
  return {
    add: (name: string, undo: () => unknown) => void parts.push({ name, undo }),
    /** @returns whether every part was undone */
    async run(log?: Logger): Promise<boolean> {
      let succeeded = true;
      for (let part = parts.pop(); part; part = parts.pop()) {
        try {
          await part.undo();
        } catch (error) {
          succeeded = false;
          log?.error({ err: error, part: part.name }, 'stopping a part failed');
        }
      }
      return succeeded;
    },
  };
}
