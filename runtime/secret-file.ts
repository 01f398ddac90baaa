import { readFileSync } from 'node:fs';

/**
 * The text of a file that holds a secret. Read when the secret is needed, so that a process that never needs it needs
 * no file either.
 *
 * @param variable that names the file
 * @param hint what is to be in it, for the message
 * @throws Error when it cannot be read
 */
export function readSecretFile(variable: string, file: string, hint: string): string {
  try {
    // Editors and `echo` end a file with a line break.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${variable} cannot be read: ${file} (${code}). Write ${hint} into it.`, { cause: error });
  }
}
