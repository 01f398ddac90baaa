/** Systems take 255 bytes, and a number may be put behind the name when the file is saved. */
const maxNameBytes = 200;
/** With its dot, in characters. What is longer is no extension. */
const maxExtension = 11;

/** Characters that a file's name cannot have everywhere, that turn the direction of text, or that are not seen. */
const oddCharacters = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\\/:*?"<>|]+/gu;

/** Names that Windows keeps for devices, also with an extension behind them. */
const deviceName = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])(?= *(?:\.|$))/i;

/**
 * A name that a file can have on every system: no folder, not hidden, nothing that cannot be seen. A name of any length
 * takes time that grows with its length: no pattern sees more than the limit.
 */
export function artifactName(given: string): string {
  const clean = trimmed(cut(trimmed(given)).toWellFormed().replace(oddCharacters, '_'));
  if (clean === '') return 'file';
  return deviceName.test(clean) ? trimmed(cut(`_${clean}`)) : clean;
}

/** Without the dots and spaces around it. */
function trimmed(name: string): string {
  const isOuter = (at: number) => name[at] === '.' || name[at]?.trim() === '';
  let start = 0;
  let end = name.length;
  while (start < end && isOuter(start)) start++;
  while (end > start && isOuter(end - 1)) end--;
  return name.slice(start, end);
}

/** Cut before its extension, between characters. */
function cut(name: string): string {
  if (startOf(name, maxNameBytes) === name) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= maxExtension ? name.slice(dot) : '';
  return startOf(name, maxNameBytes - bytesOf(extension)) + extension;
}

/** The characters that fit into so many bytes. */
function startOf(name: string, bytes: number): string {
  let end = 0;
  for (const character of name) {
    bytes -= bytesOf(character);
    if (bytes < 0) return name.slice(0, end);
    end += character.length;
  }
  return name;
}

/** As UTF-8. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
