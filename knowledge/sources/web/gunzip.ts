import { promisify } from 'node:util';
import { gunzip as zlibGunzip } from 'node:zlib';
import { AlfredError } from '../../../contract/errors.ts';

const gunzip = promisify(zlibGunzip);

export const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * @param maxBytes unpacked: a few kilobytes can unpack to gigabytes
 * @param host for error messages
 * @throws AlfredError `source_unreadable`, `file_too_large`
 */
export async function gunzipWithin(bytes: Uint8Array, maxBytes: number, host: string): Promise<Uint8Array> {
  try {
    return await gunzip(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new AlfredError(
        'file_too_large',
        `What ${host} answered unpacks to more than ${Math.floor(maxBytes / 1_000_000)} MB.`,
        { cause },
      );
    throw new AlfredError('source_unreadable', `What ${host} answered is packed, and the packing is damaged.`, {
      cause,
    });
  }
}
