// Zod is not imported here, because parser processes import this file and must stay small.

/** How the text of pictures is read: not at all, by Tesseract on this machine, or by a server. */
export type OcrSetting = { kind: 'off' } | { kind: 'tesseract'; languages: string[] } | { kind: 'server'; url: string };

const defaultLanguages = ['eng'];

/** @returns undefined when it is not a setting of ALFRED_OCR */
export function parseOcrSetting(value: string): OcrSetting | undefined {
  if (value === 'off') return { kind: 'off' };
  const [, languages] =
    /^tesseract(?::([a-z]{3}(?:_[a-z]{3,4}){0,2}(?:\+[a-z]{3}(?:_[a-z]{3,4}){0,2}){0,9}))?$/.exec(value) ?? [];
  if (value.startsWith('tesseract'))
    return value === 'tesseract' || languages
      ? { kind: 'tesseract', languages: languages?.split('+') ?? defaultLanguages }
      : undefined;
  return /^https?:\/\/[^/?#@\s]+(?:[/?#]|$)/i.test(value) && URL.canParse(value)
    ? { kind: 'server', url: value }
    : undefined;
}
