import { readFileSync } from 'node:fs';

/**
 * The text of a file that holds a secret. Read when the secret is needed, so that a process that never needs it needs
 * no file either.
 *
 * @param variable that names the file
 * @param hint what is to be in it, for the message
 * @throws Error when it cannot be read, or is empty
 */
export function readSecretFile(variable: string, file: string, hint: string): string {
  const text = readText(variable, file, hint);
  if (text.trim() === '') throw new Error(`${variable} is empty: ${file}. Write ${hint} into it.`);
  // Editors and `echo` end a file with a line break.
  return text.replace(/\r?\n$/, '');
}

function readText(variable: string, file: string, hint: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${variable} cannot be read: ${file} (${code}). Write ${hint} into it.`, { cause: error });
  }
}
