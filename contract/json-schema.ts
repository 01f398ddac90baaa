import { z } from 'zod';

/** Any JSON value. One instance, so that the API document can name it. */
export const Json = z.json();
