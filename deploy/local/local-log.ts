import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Config } from '../../runtime/config.ts';
import { createLogger, prettyStream, type Logger } from '../../runtime/logger.ts';

type LogConfig = Pick<Config, 'ALFRED_LOG_LEVEL' | 'ALFRED_LOG_FORMAT'>;
type Options = {
  logsDir: string;
  /** Prints whole lines above the moving progress lines. */
  print: (text: string) => void;
  /** Whether the person set the log level. Then the terminal shows all lines, and not only warnings. */
  levelIsSet: boolean;
  pretty: boolean;
};

const longLogBytes = 10_000_000;

/** The log of the local stack. All lines go to a file; warnings and errors also go to the terminal. */
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
