// `npm run slack:manifest`: writes the manifests of the Slack app.
import { writeFile } from 'node:fs/promises';
import { manifests, manifestYaml } from './manifest.ts';

for (const [path, manifest] of Object.entries(manifests))
  await writeFile(new URL(`../../${path}`, import.meta.url), manifestYaml(manifest));
