import { z } from 'zod';

/** Any JSON value. All schemas share this instance, so that the OpenAPI document gets one named component for it. */
export const Json = z.json();
