import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import pg from 'pg';
import { rethrowMarked, spoilsConnection } from './database-errors.ts';

/** The most texts that get a name in one process. Alfred has far fewer; texts that vary must not fill the server. */
const maxNames = 300;
const names = new Map<string, string>();

type Options = pg.ClientConfig & { readPassword?: () => string; prepares?: boolean };

/**
 * A connection that prepares its statements, because planning them costs Postgres more than running them.
 * Why this is an override, and which statements are left out: docs/adr/0021-statements-are-prepared.md.
 */
export class PreparingClient extends pg.Client {
  /** The connection must be closed when it is released. */
  isSpoilt = false;
  private readonly prepares: boolean;

  /**
   * @param config `readPassword` gives the password of each new connection, in place of the one in the address.
   *   `prepares: false` for a pooler that does not know prepared statements
   */
  constructor({ readPassword, prepares = true, ...config }: Options = {}) {
    super(config);
    this.prepares = prepares;
    if (readPassword) Object.assign(this, { password: async () => this.readOrGiveUp(readPassword) });
  }

  /** Without a password the server would keep the connection until its time for a sign-in is over. */
  private readOrGiveUp(readPassword: () => string): string {
    try {
      return readPassword();
    } catch (error) {
      (this as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
      throw error;
    }
  }

  // The base class has a dozen overloads. Kysely calls `query(text, values)`; all other calls are passed on unchanged.
  override query(...args: unknown[]): never {
    const [text, values] = args;
    const name = this.prepares && typeof text === 'string' && Array.isArray(values) ? nameOf(text) : undefined;
    const passedArgs = name === undefined ? args : [{ name, text, values }, ...args.slice(2)];
    const result: unknown = Reflect.apply(super.query.bind(this) as () => never, undefined, passedArgs);
    return (result instanceof Promise ? result.catch((error: unknown) => this.noteFailure(error)) : result) as never;
  }

  private noteFailure(error: unknown): never {
    this.isSpoilt ||= spoilsConnection(error);
    return rethrowMarked(error);
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
