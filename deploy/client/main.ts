// `npm run client:types`: writes the types of `@alfred/client` from the API's OpenAPI document.
import { writeFile } from 'node:fs/promises';
import { clientTypes, clientTypesPath } from './client-types.ts';

await writeFile(new URL(`../../${clientTypesPath}`, import.meta.url), await clientTypes());
