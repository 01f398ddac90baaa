import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { AlfredError } from '../../../contract/errors.ts';
import { isReadableName } from '../../../contract/readable-files.ts';
import { isAllowedPrefix } from '../../../contract/sources.ts';
import type { Config } from '../../../runtime/config.ts';
import type { ListedItem, Listing, SourceReader } from '../../../contract/ports/index.ts';
import { documentNameOf } from '../document-name.ts';
import { openS3, s3Error, statusOf, type S3, type S3Config } from './s3-client.ts';

const maxObjects = 50_000;

/** Reads the readable files below a prefix of a bucket, on any server with the S3 API. */
export function createS3Source(
  config: S3Config & Pick<Config, 'ALFRED_S3_PREFIXES'>,
  { maxBytes }: { maxBytes: number },
): SourceReader {
  let opened: Promise<S3> | undefined;
  const open = () => (opened ??= openS3(config));

  async function listPage(bucket: string, prefix: string, token: string | undefined, signal: AbortSignal) {
    const { sdk, client } = await open();
    const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
    return client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw s3Error(error, bucket);
    });
  }

  return {
    async list({ address }, signal): Promise<Listing> {
      const { bucket, key } = parseAddress(address);
      // The slash keeps `handbook` from matching `handbook-of-another-team`.
      const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
      // The configuration may have changed since the source was created.
      if (!isAllowedPrefix(config.ALFRED_S3_PREFIXES, address))
        throw new AlfredError(
          'source_unconfigured',
          `Sources may not read this in the bucket ${bucket}. Who runs Alfred names it in ALFRED_S3_PREFIXES.`,
        );
      const items: ListedItem[] = [];
      let token: string | undefined;
      do {
        const { Contents = [], NextContinuationToken }: ListObjectsV2CommandOutput = await listPage(
          bucket,
          prefix,
          token,
          signal,
        );
        for (const { Key: key = '', ETag: etag } of Contents)
          if (isReadableName(key))
            items.push({
              name: documentNameOf(`${bucket}/${key}`),
              address: `s3://${bucket}/${key}`,
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
      const { bucket, key } = parseAddress(address);
      const { sdk, client } = await open();
      const command = new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(validators.etag === null ? {} : { IfNoneMatch: validators.etag }),
      });
      try {
        const { Body, ContentType = '', ETag = null } = await client.send(command, { abortSignal: signal });
        const bytes = await readBody(Body as AsyncIterable<Uint8Array> | undefined, maxBytes, bucket);
        // Content types of S3 objects are often wrong: the name's extension decides.
        return { state: 'read', bytes, mediaType: ContentType, typeDecides: false, etag: ETag, lastModified: null };
      } catch (error) {
        signal.throwIfAborted();
        const status = statusOf(error);
        if (status === 304) return { state: 'unchanged' };
        if (status === 404) return { state: 'gone' };
        throw s3Error(error, bucket);
      }
    },
  };
}

/** Splits `s3://bucket/prefix`. */
function parseAddress(address: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(address) ?? [];
  return { bucket, key };
}

/** @throws AlfredError `file_too_large` */
async function readBody(
  body: AsyncIterable<Uint8Array> | undefined,
  maxBytes: number,
  bucket: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Throwing inside the loop closes the connection.
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
