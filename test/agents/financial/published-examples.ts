import type { z } from 'zod';
import type { TaxInput } from '../../../agents/financial/intents.ts';

/**
 * What authorities and firms have published. `amount` is that of the levy, or with `upTo` the sum of its lines before
 * the first line whose label begins with it (a pattern). `within`: the publication rounds to that.
 */
export type PublishedExample = {
  source: string;
  input: z.input<typeof TaxInput>;
  levy: string;
  amount: number;
  upTo?: string;
  within?: number;
};

type Input = z.input<typeof TaxInput>;
type Pair = readonly [income: number, amount: number];

/** Many amounts of one publication. `added`: what makes the income of what the publication taxes. */
const listed = (
  source: string,
  input: Omit<Input, 'income'>,
  {
    levy,
    pairs,
    added = 0,
    ...rest
  }: { levy: string; pairs: readonly Pair[]; added?: number; upTo?: string; within?: number },
): PublishedExample[] =>
  pairs.map(([income, amount]) => ({ source, input: { ...input, income: income + added }, levy, amount, ...rest }));

/** The same with the amounts as other income, which bears no contributions. */
const listedAsOther = (...[source, input, how]: Parameters<typeof listed>): PublishedExample[] =>
  listed(source, input, how).map((one) => ({
    ...one,
    input: { ...one.input, income: 0, otherIncome: one.input.income },
  }));

const federal = 'US federal income tax';
const security = 'Social Security (employee)';

export const unitedStates: PublishedExample[] = [
  ...listed(
    'IRS Rev. Proc. 2023-34, section 2.01, table 3 (unmarried)',
    { places: ['us'], year: '2024' },
    {
      levy: federal,
      added: 14_600,
      pairs: [
        [11_600, 1_160],
        [47_150, 5_426],
        [100_525, 17_168.5],
        [191_950, 39_110.5],
        [243_725, 55_678.5],
        [609_350, 183_647.25],
      ],
    },
  ),
  ...listed(
    'IRS Rev. Proc. 2023-34, section 2.01, table 1 (joint)',
    { places: ['us'], year: '2024', status: 'married' },
    {
      levy: federal,
      added: 29_200,
      pairs: [
        [23_200, 2_320],
        [94_300, 10_852],
        [201_050, 34_337],
        [383_900, 78_221],
        [487_450, 111_357],
        [731_200, 196_669.5],
      ],
    },
  ),
  ...listed(
    'IRS Rev. Proc. 2024-40, section 2.01, table 3 (unmarried)',
    { places: ['us'], year: '2025' },
    {
      levy: federal,
      added: 15_750,
      pairs: [
        [11_925, 1_192.5],
        [48_475, 5_578.5],
        [103_350, 17_651],
        [197_300, 40_199],
        [250_525, 57_231],
        [626_350, 188_769.75],
      ],
    },
  ),
  ...listed(
    'IRS Rev. Proc. 2024-40, section 2.01, table 1 (joint)',
    { places: ['us'], year: '2025', status: 'married' },
    {
      levy: federal,
      added: 31_500,
      pairs: [
        [23_850, 2_385],
        [96_950, 11_157],
        [206_700, 35_302],
        [394_600, 80_398],
        [501_050, 114_462],
        [751_600, 202_154.5],
      ],
    },
  ),
  ...listed(
    'IRS Rev. Proc. 2025-32, section 4.01, table 3 (unmarried)',
    { places: ['us'], year: '2026' },
    {
      levy: federal,
      added: 16_100,
      pairs: [
        [12_400, 1_240],
        [50_400, 5_800],
        [105_700, 17_966],
        [201_775, 41_024],
        [256_225, 58_448],
        [640_600, 192_979.25],
      ],
    },
  ),
  // The tax table gives the tax of the middle of its step, in whole dollars.
  ...listed(
    'IRS, 2024 instructions for Form 1040, sample of the tax table (25,300 to 25,350, joint)',
    { places: ['us'], year: '2024', status: 'married' },
    {
      levy: federal,
      added: 29_200,
      within: 0.5,
      pairs: [[25_325, 2_575]],
    },
  ),
  ...listed(
    'IRS, 2025 instructions for Form 1040, sample of the tax table (25,300 to 25,350, joint)',
    { places: ['us'], year: '2025', status: 'married' },
    {
      levy: federal,
      added: 31_500,
      within: 0.5,
      pairs: [[25_325, 2_562]],
    },
  ),
  ...listed(
    'Social Security Administration, maximum contribution 2024',
    { places: ['us'], year: '2024' },
    {
      levy: security,
      pairs: [
        [168_600, 10_453.2],
        [500_000, 10_453.2],
      ],
    },
  ),
  ...listed(
    'Social Security Administration, maximum contribution 2025',
    { places: ['us'], year: '2025' },
    {
      levy: security,
      pairs: [
        [176_100, 10_918.2],
        [500_000, 10_918.2],
      ],
    },
  ),
  ...listed(
    'Social Security Administration, maximum contribution 2026',
    { places: ['us'], year: '2026' },
    { levy: security, pairs: [[184_500, 11_439]] },
  ),
  ...listed(
    'Franchise Tax Board, 2024 Tax Rate Schedules, schedule X',
    { places: ['us-ca'], year: '2024' },
    {
      levy: 'California income tax',
      upTo: 'Exemption credits',
      added: 5_540,
      pairs: [
        [10_756, 107.56],
        [25_499, 402.42],
        [40_245, 992.26],
        [55_866, 1_929.52],
        [70_606, 3_108.72],
        [360_659, 30_083.65],
        [432_787, 37_512.83],
        [721_314, 70_116.38],
      ],
    },
  ),
  ...listed(
    'Paid Family Leave, maximum contribution 2024',
    { places: ['us-ny'], year: '2024' },
    {
      levy: 'New York Paid Family Leave',
      pairs: [
        [89_343, 333.25],
        [200_000, 333.25],
      ],
    },
  ),
  ...listed(
    'Paid Family Leave, maximum contribution 2025',
    { places: ['us-ny'], year: '2025' },
    { levy: 'New York Paid Family Leave', pairs: [[200_000, 354.53]] },
  ),
];

const scottish = 'Scottish income tax';
const national = 'National Insurance (employee, class 1)';
const parliament: Pair[] = [
  [20_000, 1_446],
  [25_000, 2_446],
  [30_000, 3_451],
  [35_000, 4_501],
  [40_000, 5_551],
  [45_000, 6_882],
  [50_000, 8_982],
  [55_000, 11_082],
  [60_000, 13_182],
  [65_000, 15_282],
  [70_000, 17_382],
  [75_000, 19_482],
  [80_000, 21_732],
  [85_000, 23_982],
  [90_000, 26_232],
  [95_000, 28_482],
  [100_000, 30_732],
  [150_000, 59_634],
];
/** The column “Difference compared with rUK” of the same table. */
const differences: readonly (readonly [income: number, amount: number])[] = [
  [20_000, -40],
  [25_000, -40],
  [30_000, -35],
  [35_000, 15],
  [40_000, 65],
  [45_000, 396],
  [50_000, 1_496],
  [60_000, 1_750],
  [70_000, 1_950],
  [80_000, 2_300],
  [90_000, 2_800],
  [100_000, 3_300],
  [150_000, 5_931],
];
const restOfUk: Pair[] = differences.map(([income, difference]) => [
  income,
  (parliament.find(([known]) => known === income)?.[1] ?? 0) - difference,
]);
const briefing = 'Scottish Parliament Information Centre, briefing on income tax 2026-27, table 8';

export const unitedKingdom: PublishedExample[] = [
  ...listed(briefing, { places: ['gb-sct'], year: '2026-27' }, { levy: scottish, within: 1, pairs: parliament }),
  ...listed(
    `${briefing}: difference to 2025-26`,
    { places: ['gb-sct'], year: '2025-26' },
    {
      levy: scottish,
      within: 1.5,
      pairs: [
        [20_000, 1_457],
        [25_000, 2_457],
        [30_000, 3_483],
        [40_000, 5_583],
        [50_000, 9_014],
        [75_000, 19_514],
        [100_000, 30_764],
      ],
    },
  ),
  // The rates and limits of the rest of the United Kingdom are the same in the three years.
  ...['2024-25', '2025-26', '2026-27'].flatMap((year) =>
    listed(
      `${briefing}: difference to the rest of the United Kingdom`,
      { places: ['gb'], year },
      { levy: 'Income tax', within: 1, pairs: restOfUk },
    ),
  ),
  ...listed(
    'Deloitte for the BBC, Scottish Budget 2026/27, 13 January 2026',
    { places: ['gb-sct'], year: '2026-27' },
    {
      levy: scottish,
      pairs: [
        [16_000, 651.7],
        [33_000, 4_081.07],
      ],
    },
  ),
  ...listed(
    'Deloitte for the BBC, Scottish Budget 2026/27, 13 January 2026',
    { places: ['gb-sct'], year: '2026-27' },
    {
      levy: national,
      pairs: [
        [16_000, 274.4],
        [33_000, 1_634.4],
      ],
    },
  ),
];

const canadian = 'Canada federal income tax';
export const canada: PublishedExample[] = [
  ...listedAsOther(
    'RCGT, tax table of Ontario 2025, column Federal',
    { places: ['ca'], year: '2025' },
    {
      levy: canadian,
      within: 0.5,
      pairs: [
        [20_000, 561],
        [30_000, 2_011],
        [40_000, 3_461],
        [50_000, 4_911],
        [57_000, 5_926],
        [58_000, 6_109],
        [59_000, 6_314],
        [60_000, 6_519],
      ],
    },
  ),
  ...listedAsOther(
    'RCGT, tax table of Ontario 2025, column Ontario',
    { places: ['ca-on'], year: '2025' },
    {
      levy: 'Ontario income tax',
      upTo: 'Ontario Health Premium',
      within: 0.5,
      pairs: [
        [30_000, 871],
        [40_000, 1_376],
        [50_000, 1_881],
        [53_000, 2_037],
        [55_000, 2_220],
        [58_000, 2_495],
        [59_000, 2_586],
      ],
    },
  ),
  ...listedAsOther(
    'calculatorscanada.ca, federal brackets 2026 with the basic amount',
    { places: ['ca'], year: '2026' },
    {
      levy: canadian,
      within: 0.01,
      pairs: [
        [58_523, 5_889.94],
        [117_045, 17_886.95],
        [181_440, 34_629.65],
      ],
    },
  ),
  ...listed(
    'Canada Revenue Agency, maximum contributions 2024',
    { places: ['ca'], year: '2024' },
    {
      levy: 'Canada Pension Plan (employee)',
      pairs: [
        [68_500, 3_867.5],
        [73_200, 4_055.5],
        [200_000, 4_055.5],
      ],
    },
  ),
  ...listed(
    'Canada Revenue Agency, maximum contributions 2024',
    { places: ['ca'], year: '2024' },
    {
      levy: 'Employment insurance (employee)',
      pairs: [
        [63_200, 1_049.12],
        [200_000, 1_049.12],
      ],
    },
  ),
  ...listed(
    'Canada Revenue Agency, maximum contributions 2025',
    { places: ['ca-on'], year: '2025' },
    {
      levy: 'Canada Pension Plan (employee)',
      pairs: [
        [71_300, 4_034.1],
        [81_200, 4_430.1],
      ],
    },
  ),
  ...listed(
    'Canada Revenue Agency, maximum contributions 2025',
    { places: ['ca-on'], year: '2025' },
    {
      levy: 'Employment insurance (employee)',
      pairs: [[65_700, 1_077.48]],
    },
  ),
  ...listed(
    'Canada Revenue Agency, maximum contributions 2026',
    { places: ['ca'], year: '2026' },
    {
      levy: 'Canada Pension Plan (employee)',
      pairs: [
        [74_600, 4_230.45],
        [85_000, 4_646.45],
      ],
    },
  ),
  ...listed(
    'Canada Revenue Agency, maximum contributions 2026',
    { places: ['ca'], year: '2026' },
    {
      levy: 'Employment insurance (employee)',
      pairs: [[68_900, 1_123.07]],
    },
  ),
];

const grossTaxPayable: Pair[] = [
  [20_000, 0],
  [30_000, 200],
  [40_000, 550],
  [80_000, 3_350],
  [120_000, 7_950],
  [160_000, 13_950],
  [200_000, 21_150],
  [240_000, 28_750],
  [280_000, 36_550],
  [320_000, 44_550],
  [500_000, 84_150],
  [1_000_000, 199_150],
];

export const asiaAndPacific: PublishedExample[] = [
  ...listed(
    'ATO, resident tax rates 2023–24',
    { places: ['au'], year: '2023-24' },
    {
      levy: 'Income tax',
      upTo: 'Low income tax offset',
      pairs: [
        [18_200, 0],
        [45_000, 5_092],
        [120_000, 29_467],
        [180_000, 51_667],
        [200_000, 60_667],
      ],
    },
  ),
  ...['2024-25', '2025-26'].flatMap((year) =>
    listed(
      `ATO, resident tax rates ${year}`,
      { places: ['au'], year },
      {
        levy: 'Income tax',
        upTo: 'Low income tax offset',
        pairs: [
          [18_200, 0],
          [45_000, 4_288],
          [135_000, 31_288],
          [190_000, 51_638],
        ],
      },
    ),
  ),
  ...listed(
    'ATO, Medicare levy reduction for low-income earners, example Angie',
    { places: ['au'], year: '2024-25' },
    { levy: 'Medicare levy', pairs: [[29_000, 177.8]] },
  ),
  ...['2024', '2025'].flatMap((year) =>
    listed(
      `IRAS, individual income tax rates, gross tax payable (year of assessment ${year})`,
      { places: ['sg'], year },
      {
        levy: 'Income tax',
        upTo: 'Rebate|Surcharge|Health and',
        added: 1_000,
        pairs: grossTaxPayable,
      },
    ),
  ),
  ...listed(
    'Singapore Secretary Services, Budget 2024 examples of the rebate',
    { places: ['sg'], year: '2024' },
    {
      levy: 'Income tax',
      added: 1_000,
      pairs: [
        [30_000, 100],
        [40_000, 350],
      ],
    },
  ),
  ...listed(
    'Ministry of Finance of India, FAQ on the new regime, tax by income (2025-26)',
    { places: ['in'], year: '2025-26' },
    {
      levy: 'Income tax, new regime',
      upTo: 'Rebate|Surcharge|Health and',
      added: 75_000,
      pairs: [
        [800_000, 20_000],
        [1_200_000, 60_000],
        [1_300_000, 75_000],
        [1_400_000, 90_000],
        [1_600_000, 120_000],
        [2_000_000, 200_000],
        [2_400_000, 300_000],
        [2_500_000, 330_000],
        [5_000_000, 1_080_000],
      ],
    },
  ),
  ...listed(
    'Ministry of Finance of India, FAQ on marginal relief (2025-26): 10,000 and cess',
    { places: ['in'], year: '2025-26' },
    {
      levy: 'Income tax, new regime',
      added: 75_000,
      pairs: [
        [1_200_000, 0],
        [1_210_000, 10_400],
      ],
    },
  ),
  ...listed(
    'Ministry of Finance of India, FAQ on the new regime, column of the present rates (2024-25)',
    { places: ['in'], year: '2024-25' },
    {
      levy: 'Income tax, new regime',
      upTo: 'Rebate|Surcharge|Health and',
      added: 75_000,
      pairs: [
        [800_000, 30_000],
        [1_000_000, 50_000],
        [1_200_000, 80_000],
        [1_600_000, 170_000],
        [2_000_000, 290_000],
        [2_400_000, 410_000],
        [5_000_000, 1_190_000],
      ],
    },
  ),
  // 7,000,000 yen of taxable income: other income less the basic deduction of 480,000 (2024) and 580,000 (2025).
  ...listedAsOther(
    'National Tax Agency, Tax Answer No. 2260, example',
    { places: ['jp'], year: '2024' },
    {
      levy: 'Income tax and reconstruction tax',
      upTo: 'Fixed tax reduction',
      added: 480_000,
      pairs: [[7_000_000, 974_000]],
    },
  ),
  ...listedAsOther(
    'National Tax Agency, Tax Answer No. 2260, example',
    { places: ['jp'], year: '2025' },
    {
      levy: 'Income tax and reconstruction tax',
      upTo: 'Reconstruction tax',
      added: 580_000,
      pairs: [[7_000_000, 974_000]],
    },
  ),
];

const ireland2025 = 'Grant Thornton, Budget 2025, how it affects you and your family';
export const europe: PublishedExample[] = [
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2025)',
    { places: ['fr'], year: '2024' },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 0.5,
      pairs: [[30_000, 2_165.48]],
    },
  ),
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2025)',
    { places: ['fr'], year: '2024', status: 'married' },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 0.5,
      pairs: [
        [60_000, 4_330.96],
        [90_000, 13_330.96],
      ],
    },
  ),
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2025)',
    { places: ['fr'], year: '2024', status: 'married', children: 1 },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 0.5,
      pairs: [[60_000, 3_438.33]],
    },
  ),
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2026)',
    { places: ['fr'], year: '2025' },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 0.5,
      pairs: [[30_000, 2_103.99]],
    },
  ),
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2026)',
    { places: ['fr'], year: '2025', status: 'married' },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 0.5,
      pairs: [
        [60_000, 4_207.98],
        [90_000, 13_207.98],
      ],
    },
  ),
  ...listed(ireland2025, { places: ['ie'], year: '2025' }, { levy: 'Income tax', pairs: [[36_000, 3_200]] }),
  ...listed(
    ireland2025,
    { places: ['ie'], year: '2025' },
    {
      levy: 'Universal Social Charge',
      within: 0.5,
      pairs: [
        [36_000, 626],
        [100_000, 4_044],
      ],
    },
  ),
  ...listed(
    ireland2025,
    { places: ['ie'], year: '2025' },
    {
      levy: 'PRSI (employee, class A)',
      within: 0.5,
      pairs: [
        [36_000, 1_485],
        [100_000, 4_125],
      ],
    },
  ),
  ...listed(
    `${ireland2025}: single parent`,
    { places: ['ie'], year: '2025', status: 'head', children: 1 },
    { levy: 'Income tax', pairs: [[50_000, 4_500]] },
  ),
  ...listed(
    `${ireland2025}: before the Budget`,
    { places: ['ie'], year: '2024' },
    { levy: 'Income tax', pairs: [[36_000, 3_450]] },
  ),
  ...listed(
    `${ireland2025}: before the Budget`,
    { places: ['ie'], year: '2024' },
    {
      levy: 'Universal Social Charge',
      within: 0.5,
      pairs: [
        [36_000, 745],
        [50_000, 1_305],
        [100_000, 4_503],
      ],
    },
  ),
  ...listed(
    `${ireland2025}: before the Budget`,
    { places: ['ie'], year: '2024' },
    {
      levy: 'PRSI (employee, class A)',
      within: 0.5,
      pairs: [
        [36_000, 1_449],
        [50_000, 2_013],
        [100_000, 4_025],
      ],
    },
  ),
  ...listed(
    'PwC, Ireland, sample personal income tax calculation 2025',
    { places: ['ie'], year: '2025', credits: 200 },
    { levy: 'Income tax', pairs: [[51_500, 7_600]] },
  ),
  ...listed(
    'PwC, Ireland, sample personal income tax calculation 2025',
    { places: ['ie'], year: '2025' },
    { levy: 'PRSI (employee, class A)', pairs: [[51_500, 2_124.38]] },
  ),
  ...listed(
    'PwC, Ireland, sample personal income tax calculation 2025',
    { places: ['ie'], year: '2025' },
    { levy: 'Universal Social Charge', pairs: [[51_500, 1_091]] },
  ),
  ...listed(
    'Grant Thornton, Budget 2026, how it affects you and your family',
    { places: ['ie'], year: '2026' },
    { levy: 'Income tax', pairs: [[36_000, 3_200]] },
  ),
  ...listed(
    'Grant Thornton, Budget 2026, how it affects you and your family',
    { places: ['ie'], year: '2026' },
    {
      levy: 'Universal Social Charge',
      within: 1,
      pairs: [
        [36_000, 613],
        [50_000, 1_033],
        [100_000, 4_030],
      ],
    },
  ),
  ...listed(
    'Grant Thornton, Budget 2026, how it affects you and your family',
    { places: ['ie'], year: '2026' },
    {
      levy: 'PRSI (employee, class A)',
      within: 1,
      pairs: [
        [36_000, 1_526],
        [50_000, 2_119],
      ],
    },
  ),
  ...listed(
    'Grant Thornton, Budget 2026: married, 36,000 and 26,000, credit for a parent of 305',
    { places: ['ie'], year: '2026', status: 'married', partnerIncome: 26_000, credits: 305 },
    { levy: 'Income tax', pairs: [[36_000, 4_095]] },
  ),
  ...listed(
    'Grant Thornton, Budget 2026: married, 36,000 and 26,000',
    { places: ['ie'], year: '2026', status: 'married', partnerIncome: 26_000 },
    { levy: 'Universal Social Charge', within: 1, pairs: [[36_000, 953]] },
  ),
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2024)',
    { places: ['fr'], year: '2023' },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 1,
      pairs: [[30_000, 2_286.23]],
    },
  ),
  ...listedAsOther(
    'Service-Public.fr, F1419 (barème 2024)',
    { places: ['fr'], year: '2023', status: 'married' },
    {
      levy: 'Income tax',
      upTo: 'Décote',
      within: 1,
      pairs: [[60_000, 4_572.46]],
    },
  ),
  ...listedAsOther(
    'GETTSIM, policy cases of 2024',
    { places: ['de'], year: '2024' },
    {
      levy: 'Income tax (§ 32a EStG)',
      added: 36,
      pairs: [
        [50_000, 10_872],
        [100_000, 31_363],
      ],
    },
  ),
  ...listedAsOther(
    'GETTSIM, policy cases of 2024: couple',
    { places: ['de'], year: '2024', status: 'married' },
    {
      levy: 'Income tax (§ 32a EStG)',
      added: 72,
      pairs: [[200_000, 62_726]],
    },
  ),
  ...listedAsOther(
    'GETTSIM, policy cases of 2024',
    { places: ['de'], year: '2024' },
    {
      levy: 'Solidarity surcharge',
      added: 36,
      pairs: [
        [50_000, 0],
        [100_000, 1_574.72],
      ],
    },
  ),
];
