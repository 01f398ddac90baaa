/**
 * The `Content-Disposition` of a download (RFC 6266): saved under this name, never shown. Clients that do not read the
 * encoded name get one of ASCII letters.
 */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (character) => hex(character));
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
