import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../process-table.ts';

export type PortClaims = { claim(port: number): boolean; release(): void };

/**
 * Keeps two stacks that start at the same time from choosing the same port. A file named after the port reserves it
 * from the check that it is free until the server listens on it.
 */
export function createPortClaims(dir = join(tmpdir(), `alfred-ports-${process.getuid?.() ?? 'user'}`)): PortClaims {
  const mine = new Set<string>();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(dir)) {
    const owner = ownerOf(join(dir, name));
    if (owner && !isAlive(owner)) rmSync(join(dir, name), { force: true });
  }
  return {
    claim(port) {
      const file = join(dir, String(port));
      try {
        writeFileSync(file, String(process.pid), { flag: 'wx' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        return mine.has(file);
      }
      mine.add(file);
      return true;
    },
    release() {
      for (const file of mine) rmSync(file, { force: true });
      mine.clear();
    },
  };
}

function ownerOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
