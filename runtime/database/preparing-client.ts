import { createHash } from 'node:crypto';
import pg from 'pg';

/** The most texts that get a name in one process. Alfred has far fewer; texts that vary must not fill the server. */
const maxNames = 300;
const names = new Map<string, string>();

/**
 * A connection that prepares its statements, because planning them costs Postgres more than running them.
 * Why this is an override, and which statements are left out: docs/adr/0021-statements-are-prepared.md.
 */
export class PreparingClient extends pg.Client {
  // The base class has a dozen overloads. Kysely calls `query(text, values)`; all other calls are passed on unchanged.
  override query(...args: unknown[]): never {
    const [text, values] = args;
    const name = typeof text === 'string' && Array.isArray(values) ? nameOf(text) : undefined;
    const passedArgs = name === undefined ? args : [{ name, text, values }, ...args.slice(2)];
    return Reflect.apply(super.query.bind(this) as () => never, undefined, passedArgs) as never;
  }
}

/** Statements that must not be prepared: those that return `*`, and those with a list of parameters. */
const unprepared = /(\.|select |returning )\*| in \(\$/;

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= maxNames || unprepared.test(text)) return known;
  const name = createHash('sha256').update(text).digest('hex').slice(0, 32);
  names.set(text, name);
  return name;
}
