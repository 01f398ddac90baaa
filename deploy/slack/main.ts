// `npm run slack:manifest`: writes the manifest of the Slack app.
import { writeFile } from 'node:fs/promises';
import { manifestPath, manifestYaml } from './manifest.ts';

await writeFile(new URL(`../../${manifestPath}`, import.meta.url), manifestYaml());
