/**
 * Errors of our own database connections. An error of another host with the same code, for example ECONNREFUSED of a
 * tool's receiver, is not one of them.
 */
const databaseErrors = new WeakSet<object>();

/** For `catch`: remembers that the error comes from our database, and rethrows it. */
export function rethrowMarked(error: unknown): never {
  if (isObject(error)) databaseErrors.add(error);
  throw error;
}

/** Whether the error comes from our own database. */
export const isDatabaseError = (error: unknown): boolean => isObject(error) && databaseErrors.has(error);

/** Whether the error comes from our own database and a retry can help. */
export const isDatabaseUnavailable = (error: unknown): boolean => isDatabaseError(error) && isTransient(error);

/** Whether a table does not exist, as in a database that was not migrated. */
export const isUndefinedTable = (error: unknown): boolean => sqlStateOf(error) === '42P01';

/**
 * SQLSTATE classes of faults in a statement or its values, which a retry repeats: 22 data, 23 constraints, 42 syntax
 * and names. Everything else that a database answers can pass: a failover, a deadlock, a time-out, a full disk.
 */
const programmingStates = /^(22|23|42)/;
/** The role lacks a right: an operator has changed roles or grants, and will grant it. */
const missingRight = '42501';

/** Whether an error of a database can pass by itself, or after an operator's repair. */
function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return state === missingRight || !programmingStates.test(state);
  // What is left comes from the connection, except for mistakes in our own code.
  return isObject(error) && !['TypeError', 'RangeError', 'SyntaxError'].includes(String(error.name));
}

/** Whether the server of an error does not answer, or is starting or stopping. */
export const isAway = (error: unknown): boolean => /^(08...|57P0.|53300)?$/.test(sqlStateOf(error) ?? '');

/**
 * Whether the connection itself must not be used again. A server that takes no writes may have been the primary until
 * just now; a new connection finds the new one. A statement without an answer blocks those behind it.
 */
export const spoilsConnection = (error: unknown): boolean =>
  sqlStateOf(error) === '25006' || (isObject(error) && error.message === 'Query read timeout');

/** Why the database is unavailable and what to do, for people; undefined when there is nothing to add. */
export function describeUnavailability(error: unknown): string | undefined {
  const state = sqlStateOf(error) ?? '';
  const known = explanations.find(([pattern]) => pattern.test(state));
  return known && `${known[1]} Nothing was lost; repeat the request.`;
}

const explanations: [RegExp, string][] = [
  [/^25006$/, 'The database takes no writes at the moment.'],
  [
    /^28/,
    'The database refuses the user or the password: correct DATABASE_URL or the file that DATABASE_PASSWORD_FILE names.',
  ],
  [/^42501$/, 'The database refuses access: grant the user of DATABASE_URL its rights.'],
  [/^3D000$/, 'The database that DATABASE_URL names does not exist.'],
  [/^53100$/, 'The disk of the database is full.'],
  [/^53/, 'The database has no connection or memory left.'],
  [/^55P03$/, 'Others held what the request needs for too long.'],
  [/^57014$/, 'The database took too long.'],
];

/** The SQLSTATE that a server answered with; undefined for any other error. */
function sqlStateOf(error: unknown): string | undefined {
  // Errors of the operating system have a code too, and no severity.
  if (!isObject(error) || typeof error.code !== 'string' || !('severity' in error)) return undefined;
  return error.code;
}

/** Not `instanceof Error`: an error of another realm, such as a worker thread or a sandbox, is of another class. */
const isObject = (error: unknown): error is { [Property in 'code' | 'name' | 'message']?: unknown } =>
  typeof error === 'object' && error !== null;
