import { createHash } from 'node:crypto';
import pg from 'pg';

/** Texts that get a name, per process; Alfred has far fewer, and a list of changing length must not fill the server. */
const maxNames = 300;
const names = new Map<string, string>();

/**
 * A connection that prepares what it runs: planning a statement costs the server more than running it, and the same
 * few dozen come again and again. Left out are a statement that returns
 * `*`, whose plan would not survive a migration, and one with a list, which has a text for every length.
 */
export class PreparingClient extends pg.Client {
  // The base class has a dozen overloads; kysely uses (text, values).
  override query(...args: unknown[]): never {
    const [text, values] = args;
    const name = typeof text === 'string' && Array.isArray(values) ? nameOf(text) : undefined;
    const config = name === undefined ? args : [{ name, text, values }, ...args.slice(2)];
    return Reflect.apply(super.query.bind(this) as () => never, undefined, config) as never;
  }
}

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= maxNames || /(\.|select |returning )\*| in \(\$/.test(text)) return known;
  const name = createHash('sha256').update(text).digest('hex').slice(0, 32);
  names.set(text, name);
  return name;
}
