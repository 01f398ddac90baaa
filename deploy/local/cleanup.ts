import type { Logger } from '../../runtime/logger.ts';

export type Cleanup = ReturnType<typeof createCleanup>;

/** What must be undone at the end, newest first. A part that fails does not keep the others from being undone. */
export function createCleanup() {
  const parts: { name: string; undo: () => unknown }[] = [];
  return {
    add: (name: string, undo: () => unknown) => void parts.push({ name, undo }),
    /** @returns whether every part was undone */
    async run(log?: Logger): Promise<boolean> {
      let whole = true;
      for (let part = parts.pop(); part; part = parts.pop()) {
        try {
          await part.undo();
        } catch (error) {
          whole = false;
          log?.error({ err: error, part: part.name }, 'stopping a part failed');
        }
      }
      return whole;
    },
  };
}
