/** The properties that are read. Pictures and sounds are large, and left out before anything is parsed. */
const read = new Set(['VERSION', 'FN', 'N', 'EMAIL', 'TEL', 'ORG', 'TITLE', 'ADR']);

/**
 * Rewrites the lines of a card so that a parser of vCard 3.0 and 4.0 takes them. Version 2.1 names types without
 * `TYPE=`, writes texts as quoted-printable, in any character set, and has no escaped commas.
 */
export function modernCard(lines: readonly string[]): string {
  const properties = unfold(lines).flatMap((line) => {
    const match = /^(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^":])*)?):(.*)$/s.exec(line);
    return match && read.has(match[1]!.toUpperCase())
      ? [{ name: match[1]!, parameters: match[2]!, value: match[3]! }]
      : [];
  });
  const isOld = properties.some(({ name, value }) => name.toUpperCase() === 'VERSION' && value.trim() === '2.1');
  return properties
    .map(({ name, parameters, value }) =>
      name.toUpperCase() === 'VERSION' && isOld ? 'VERSION:3.0' : `${name}${modern(parameters, value, isOld)}`,
    )
    .join('\r\n');
}

function modern(parameters: string, value: string, isOld: boolean): string {
  const given = parameters.split(';').filter((part) => part !== '');
  const isQuoted = given.some((part) => /^(encoding=)?quoted-printable$/i.test(part));
  if (!isOld && !isQuoted) return `${parameters}:${value}`;
  const charset = given.map((part) => /^charset=(.+)$/i.exec(part)?.[1]).find((found) => found !== undefined);
  const kept = given.filter((part) => !/^(encoding=|charset=|quoted-printable$|8bit$|7bit$|base64$)/i.test(part));
  const named = kept.map((part) => (part.includes('=') ? part : `TYPE=${part}`));
  const plain = isQuoted ? decodeQuoted(value, charset) : value;
  const escaped = plain.replaceAll(/(?<!\\),/g, '\\,').replaceAll(/\r?\n/g, '\\n');
  return `${named.map((part) => `;${part}`).join('')}:${escaped}`;
}

/**
 * Joins folded lines, and those of quoted-printable texts that end with `=`. Lines of what is not read are passed over
 * one by one: a picture has thousands.
 */
function unfold(lines: readonly string[]): string[] {
  const whole: string[][] = [];
  /** The parts of the property that goes on; undefined: it is none that is read. */
  let parts: string[] | undefined;
  let isOpen = false;
  let isQuoted = false;
  for (const line of lines) {
    if (isOpen) parts?.push(line.replace(/^[ \t](?=\S)/, ''));
    else if (/^[ \t]/.test(line)) parts?.push(line.slice(1));
    else {
      const name = /^(?:[\w-]+\.)?([\w-]+)/.exec(line)?.[1]?.toUpperCase();
      parts = name !== undefined && read.has(name) ? [line] : undefined;
      if (parts) whole.push(parts);
      isQuoted = /^[^:]*quoted-printable/i.test(line);
    }
    isOpen = isQuoted && line.endsWith('=');
    if (isOpen) parts?.push(parts.pop()!.slice(0, -1));
  }
  return whole.map((parts_) => parts_.join(''));
}

function decodeQuoted(value: string, charset = 'utf-8'): string {
  const bytes = Buffer.from(
    value.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder('utf-8').decode(bytes);
  }
}
