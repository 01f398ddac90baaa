import { z } from 'zod';
import { errorCodes } from './errors.ts';

/** The code of an error, as a schema. All schemas share this instance, so that the API document names it once. */
export const ErrorCodeSchema = z.enum(errorCodes);
