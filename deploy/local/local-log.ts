import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Config } from '../../runtime/config.ts';
import { createLogger, prettyStream, type Logger } from '../../runtime/logger.ts';

type LogConfig = Pick<Config, 'ALFRED_LOG_LEVEL' | 'ALFRED_LOG_FORMAT'>;
type Options = {
  logsDir: string;
  /** Writes whole lines to the terminal, beside the progress of the steps. */
  print: (text: string) => void;
  /** Whether a person set the level, so that the terminal gets all of it and not only warnings. */
  levelIsSet: boolean;
  pretty: boolean;
};

const longLogBytes = 10_000_000;

/** The log of the one-machine stack: everything goes to a file, what a person should see to the terminal as well. */
export function createLocalLog(config: LogConfig, { logsDir, print, levelIsSet, pretty }: Options): Logger {
  mkdirSync(logsDir, { recursive: true });
  const file = join(logsDir, 'alfred.log');
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > longLogBytes) renameSync(file, `${file}.1`);
  const terminal = new Writable({
    write(chunk: Buffer, _encoding, done) {
      print(chunk.toString());
      done();
    },
  });
  const streams = pino.multistream([
    { level: 'trace', stream: pino.destination({ dest: file, sync: true, mode: 0o600 }) },
    { level: levelIsSet ? 'trace' : 'warn', stream: pretty ? prettyStream(terminal) : terminal },
  ]);
  return createLogger(config, 'local', streams);
}
