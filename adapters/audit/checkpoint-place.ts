import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../runtime/config.ts';
import type { Checkpoint } from './chain.ts';
import { checkpointText, parseCheckpoint } from './checkpoint-text.ts';

type S3Config = Pick<Config, 'S3_ACCESS_KEY_ID' | 'S3_ENDPOINT' | 'S3_REGION' | 'S3_SECRET_ACCESS_KEY'>;

/** Where checkpoints are kept, off the machine. */
export type CheckpointPlace = {
  /** Idempotent: the checkpoint of an entry is written once. */
  write(checkpoint: Checkpoint): Promise<void>;
  /** The newest ones, in their order. Of a file all of them. */
  read(): Promise<Checkpoint[]>;
};

/** How many objects of a bucket are read. The newest say how far the log went; each is a request. */
const mostObjects = 1_000;
const readAtOnce = 16;
const timeouts = { connectionTimeout: 5_000, requestTimeout: 10_000 };
/** The interoperable XML API of Google Cloud Storage takes requests of S3, signed with an HMAC key. */
const gcsEndpoint = 'https://storage.googleapis.com';

/** @param place a path, `file:///…`, `s3://bucket/folder` or `gs://bucket/folder` */
export function openCheckpointPlace(place: string, config: S3Config): CheckpointPlace {
  const [, scheme, bucket = '', folder = ''] = /^(s3|gs):\/\/([^/]+)\/?(.*?)\/?$/.exec(place) ?? [];
  if (scheme === undefined) return filePlace(place.startsWith('file:') ? fileURLToPath(place) : place);
  return bucketPlace({ isGcs: scheme === 'gs', bucket, prefix: folder === '' ? '' : `${folder}/` }, config);
}

function filePlace(path: string): CheckpointPlace {
  return {
    async write(checkpoint) {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, 'a', 0o600);
      try {
        // A line that was not written to its end ends before this one.
        await file.appendFile(`\n${checkpointText(checkpoint)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async read() {
      const lines = (await readFile(path, 'utf8')).split('\n');
      return lines.flatMap((line) => parseCheckpoint(line) ?? []).toSorted((a, b) => a.seq - b.seq);
    },
  };
}

function bucketPlace(
  { isGcs, bucket, prefix }: { isGcs: boolean; bucket: string; prefix: string },
  config: S3Config,
): CheckpointPlace {
  let opened: ReturnType<typeof open_> | undefined;
  async function open_() {
    const sdk = await import('@aws-sdk/client-s3');
    const { S3_REGION: region, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
    const endpoint = isGcs ? gcsEndpoint : config.S3_ENDPOINT;
    const client = new sdk.S3Client({
      region: isGcs ? 'auto' : region,
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      ...(accessKeyId !== undefined && secretAccessKey !== undefined
        ? { credentials: { accessKeyId, secretAccessKey } }
        : {}),
      maxAttempts: 2,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: timeouts,
    });
    return { sdk, client };
  }
  const keyOf = (seq: number) => `${prefix}audit-${String(seq).padStart(16, '0')}.json`;

  async function listKeys(): Promise<string[]> {
    const { sdk, client } = await (opened ??= open_());
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await client.send(
        new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}audit-`, ContinuationToken: token }),
      );
      keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return keys.toSorted().slice(-mostObjects);
  }

  async function readObject(key: string): Promise<Checkpoint | undefined> {
    const { sdk, client } = await (opened ??= open_());
    const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
    return parseCheckpoint((await Body?.transformToString()) ?? '');
  }

  return {
    async write(checkpoint) {
      const { sdk, client } = await (opened ??= open_());
      try {
        await client.send(
          new sdk.PutObjectCommand({
            Bucket: bucket,
            Key: keyOf(checkpoint.seq),
            Body: checkpointText(checkpoint),
            ContentType: 'application/json',
            // Nothing is written over. Google's API does not know this header of S3.
            ...(isGcs ? {} : { IfNoneMatch: '*' }),
          }),
        );
      } catch (error) {
        // It was written before, and the answer was lost.
        if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 412) throw error;
      }
    },
    async read() {
      const keys = await listKeys();
      const found: Checkpoint[] = [];
      for (let i = 0; i < keys.length; i += readAtOnce)
        found.push(...(await Promise.all(keys.slice(i, i + readAtOnce).map(readObject))).flatMap((one) => one ?? []));
      return found;
    },
  };
}
