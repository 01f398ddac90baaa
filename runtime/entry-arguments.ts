import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/**
 * Reads the arguments of a process. For `--help`, and for an option that it does not know, it prints and exits.
 *
 * @param usage what the process does and takes, as lines for people
 */
export function entryArguments<T extends ParseArgsOptionsConfig>(usage: string, options: T) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } as const });
    if (!('help' in values && values.help)) return values;
  } catch (error) {
    const reason = (error as Error).message.split('. To specify')[0] ?? '';
    process.stderr.write(`${reason}\n\n${usage}`);
    process.exit(2);
  }
  process.stdout.write(usage);
  process.exit(0);
}
