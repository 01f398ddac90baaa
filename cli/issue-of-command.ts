import type { Command } from 'commander';

type Issue = { path: string; message: string };

/** What the API calls otherwise than the command line. */
const otherNames: Record<string, string[]> = {
  text: ['question', 'ask'],
  readers: ['reader'],
  tags: ['tag'],
  channel: ['slackChannel'],
};

/**
 * Says what the API found wrong in the command's own names: `query.limit` is `--limit`, `budget.maxCostUsd` is
 * `--max-cost-usd`. A place that no option or argument of the command has keeps the API's name.
 */
export function issueInWordsOf(command: Command | undefined, { path, message }: Issue): string {
  const segments = path.split('.').filter((segment) => !/^\d+$/.test(segment));
  for (const segment of segments.toReversed()) {
    const name = nameIn(command, segment);
    if (name !== undefined) return `${name}: ${message}`;
  }
  return path === '' ? message : `${segments.filter((segment) => segment !== 'query').join('.') || path}: ${message}`;
}

/** The option or argument that holds this field: by its name, without the unit of a field like `everyS`. */
function nameIn(command: Command | undefined, field: string): string | undefined {
  const candidates = [field, field.replace(/S$/, ''), ...(otherNames[field] ?? [])];
  const option = command?.options.find((one) => candidates.includes(one.attributeName()));
  if (option) return option.long ?? option.flags;
  const argument = command?.registeredArguments.find((one) => candidates.includes(one.name()));
  return argument && `<${argument.name()}>`;
}
