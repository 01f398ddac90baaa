import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

type MapRequest = { kind: string; filename: string };

/**
 * The predefined character maps of Chinese, Japanese and Korean fonts that are not embedded (ISO 32000-1, 9.7.5.2).
 * Without its map the reader leaves a font's text out without a word, so maps that are missing are collected.
 *
 * @returns options for the PDF reader, and the names of the maps that it asked for in vain
 */
export function createCharacterMaps() {
  const missing: string[] = [];
  class CharacterMapFiles {
    async fetch({ kind, filename }: MapRequest): Promise<Uint8Array> {
      try {
        if (kind !== 'cMapUrl' || !/^[\w-]+\.bcmap$/.test(filename)) throw new Error(`no such file: ${filename}`);
        return new Uint8Array(await readFile(join(mapFolder(), filename)));
      } catch (error) {
        if (kind === 'cMapUrl') missing.push(filename.replace(/\.bcmap$/, ''));
        throw error;
      }
    }
  }
  return {
    missing,
    options: { cMapUrl: 'cmaps/', cMapPacked: true, useWorkerFetch: false, BinaryDataFactory: CharacterMapFiles },
  };
}

const mapFolder = () => join(dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json')), 'cmaps');
