import { z } from 'zod';
import { limits } from './limits.ts';

const mostSeries = 20;
const mostPoints = limits.points;

/** Text in a picture: what XML cannot hold and what is not seen is left out. */
const Text = z
  .string()
  .max(200)
  .transform((text) => text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' '));

/** Decimals come as texts. */
const Value = z
  .union([z.number(), z.string().regex(/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i, 'expected a number'), z.null()])
  .transform((value) => (value === null ? null : Number(value)))
  .refine((value) => value === null || Number.isFinite(value), 'expected a finite number');
const Label = z.union([z.string(), z.number()]).transform(String).pipe(Text);
const Name = z.string().min(1).max(100);

const shared = {
  title: Text.optional(),
  /** Of the file. */
  name: Name.optional(),
};
const axes = { xLabel: Text.optional(), yLabel: Text.optional() };
const ofValues = z
  .array(z.strictObject({ name: Text.optional(), values: z.array(Value).min(1).max(mostPoints) }))
  .min(1)
  .max(mostSeries);

const withLabels = <T extends 'line' | 'bar'>(type: T) =>
  z.strictObject({
    type: z.literal(type),
    ...shared,
    ...axes,
    labels: z.array(Label).min(1).max(mostPoints),
    series: ofValues,
    stacked: z.boolean().optional(),
  });

/** What a program may have drawn. */
export const ChartSpec = z
  .discriminatedUnion('type', [
    withLabels('line'),
    withLabels('bar'),
    z.strictObject({
      type: z.literal('pie'),
      ...shared,
      labels: z.array(Label).min(1).max(100),
      values: z.array(Value).min(1).max(100),
    }),
    z.strictObject({
      type: z.literal('scatter'),
      ...shared,
      ...axes,
      series: z
        .array(
          z.strictObject({
            name: Text.optional(),
            points: z
              .array(z.tuple([Value, Value]))
              .min(1)
              .max(mostPoints),
          }),
        )
        .min(1)
        .max(mostSeries),
    }),
  ])
  .superRefine((spec, context) => {
    const fault = (message: string) => context.addIssue({ code: 'custom', message });
    if (spec.type === 'pie') {
      if (spec.values.length !== spec.labels.length) fault(countFault(spec.labels.length, spec.values.length));
      if (spec.values.some((value) => value !== null && value < 0)) fault('a pie has no negative values');
      return;
    }
    const lengths = spec.series.map((one) => ('values' in one ? one.values.length : one.points.length));
    if (spec.type === 'scatter') return;
    const wrong = lengths.find((length) => length !== spec.labels.length);
    if (wrong !== undefined) fault(countFault(spec.labels.length, wrong));
  });
export type ChartSpec = z.infer<typeof ChartSpec>;

/** How many points a chart has. */
export const pointsOf = (spec: ChartSpec): number =>
  spec.type === 'pie'
    ? spec.values.length
    : spec.series.reduce((sum, one) => sum + ('values' in one ? one.values.length : one.points.length), 0);

const countFault = (labels: number, values: number) => `${labels} labels and ${values} values: each label has one`;
