import { pino } from 'pino';
import type { Terminal } from './terminal/terminal.ts';

/** A log that shows what migrations wait for, in the terminal. Errors are thrown too, and reported by the command. */
export const createMigrationLog = (terminal: Pick<Terminal, 'note'>) =>
  pino(
    { level: 'warn' },
    {
      write(line: string) {
        const { level, msg } = JSON.parse(line) as { level: number; msg: string };
        if (level === pino.levels.values['warn']) terminal.note(msg);
      },
    },
  );
