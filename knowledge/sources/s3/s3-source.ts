import { extname } from 'node:path/posix';
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { AlfredError } from '../../../contract/errors.ts';
import { readableExtensions } from '../../../contract/readable-files.ts';
import { isAllowedPrefix } from '../../../contract/sources.ts';
import type { Config } from '../../../runtime/config.ts';
import type { ListedItem, Listing, SourceReader } from '../../../contract/ports/index.ts';
import { documentNameOf } from '../document-name.ts';
import { partsOf, s3Address } from './s3-address.ts';
import { openS3, s3Problem, statusOf, type S3, type S3Config } from './s3-client.ts';

const maxObjects = 50_000;

const readable = new Set<string>(readableExtensions);
/** Others are left out, as `alfred documents add` leaves them out of a folder. */
const isReadable = (key: string) => readable.has(extname(key).toLowerCase());

/** The readable files below a folder of a bucket, on any server that speaks S3. */
export function createS3Source(
  config: S3Config & Pick<Config, 'ALFRED_S3_PREFIXES'>,
  { maxBytes }: { maxBytes: number },
): SourceReader {
  let opened: Promise<S3> | undefined;
  const open = () => (opened ??= openS3(config));

  async function page(bucket: string, prefix: string, token: string | undefined, signal: AbortSignal) {
    const { sdk, client } = await open();
    const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
    return client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw s3Problem(error, bucket);
    });
  }

  return {
    async list({ address }, signal): Promise<Listing> {
      const { bucket, key } = partsOf(address);
      // A folder: `handbook` does not mean `handbook-of-somebody-else`.
      const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
      // The configuration may be another than when the source was made.
      if (!isAllowedPrefix(config.ALFRED_S3_PREFIXES, address))
        throw new AlfredError(
          'source_unconfigured',
          `Sources may not read this in the bucket ${bucket}. Who runs Alfred names it in ALFRED_S3_PREFIXES.`,
        );
      const items: ListedItem[] = [];
      let token: string | undefined;
      do {
        const { Contents = [], NextContinuationToken }: ListObjectsV2CommandOutput = await page(
          bucket,
          prefix,
          token,
          signal,
        );
        for (const { Key: key = '', ETag: etag } of Contents)
          if (isReadable(key))
            items.push({
              name: documentNameOf(`${bucket}/${key}`),
              address: s3Address(bucket, key),
              ...(etag === undefined ? {} : { etag }),
            });
        if (items.length > maxObjects)
          throw new AlfredError(
            'source_unreadable',
            `There are more than ${maxObjects} files below the prefix in the bucket ${bucket}. Make sources of its parts.`,
          );
        token = NextContinuationToken;
      } while (token !== undefined);
      return { items, failures: [], isWhole: true };
    },

    async read(_source, { address, validators }, signal) {
      const { bucket, key } = partsOf(address);
      const { sdk, client } = await open();
      const command = new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(validators.etag === null ? {} : { IfNoneMatch: validators.etag }),
      });
      try {
        const { Body, ContentType = '', ETag = null } = await client.send(command, { abortSignal: signal });
        const bytes = await bytesOf(Body as AsyncIterable<Uint8Array> | undefined, maxBytes, bucket);
        // Most uploads leave the type to chance.
        return { state: 'read', bytes, mediaType: ContentType, typeDecides: false, etag: ETag, lastModified: null };
      } catch (error) {
        signal.throwIfAborted();
        const status = statusOf(error);
        if (status === 304) return { state: 'unchanged' };
        if (status === 404) return { state: 'gone' };
        throw s3Problem(error, bucket);
      }
    },
  };
}

async function bytesOf(
  body: AsyncIterable<Uint8Array> | undefined,
  maxBytes: number,
  bucket: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes)
      throw new AlfredError(
        'file_too_large',
        `This file in the bucket ${bucket} is larger than the ${maxBytes / 1_000_000} MB that are read at once. Raise ALFRED_MAX_UPLOAD_MB.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
