/** `s3://bucket/prefix` in its parts. */
export function partsOf(address: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(address) ?? [];
  return { bucket, key };
}

export const s3Address = (bucket: string, key: string) => `s3://${bucket}/${key}`;
