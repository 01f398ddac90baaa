/** Statements as four companies write them, and what is wrong in each: the rule and the period. */
export type UnseenStatement = {
  name: string;
  file: string;
  content: string;
  faults: { rule: string; period: string }[];
  /** Ratios that were worked out by hand, by ratio and period. */
  ratios: Record<string, string>;
};

export const unseenStatements: readonly UnseenStatement[] = [
  {
    name: 'French quarters, thousands of euros',
    file: 'resultats.csv',
    content: `Société Verdier;;;;;
Compte de résultat (en milliers d'euros);T1 2024;T2 2024;T3 2024;T4 2024;T1 2025
Chiffre d'affaires;1 240,5;1 310,0;1 295,2;1 402,8;1 388,4
Coût des ventes;744,3;786,0;777,1;841,7;833,0
Marge brute;496,2;524,0;518,1;516,1;555,4
Charges de personnel;210,0;212,5;213,0;-214,0;216,0
Charges financières;12,0;12,0;11,5;11,0;11,0
Résultat net;98,0;110,2;104,9;120,3;118,8
Subventions diverses;3,0;3,0;3,0;3,0;3,0
;;;;;
Bilan (en milliers d'euros);31/03/2024;30/06/2024;30/09/2024;31/12/2024;31/03/2025
Créances clients;410,0;425,0;431,0;455,0;780,0
Stocks;300,0;305,0;298,0;310,0;312,0
Trésorerie;150,0;162,0;171,0;180,0;95,0
Total actifs courants;900,0;932,0;940,0;985,0;1 227,0
Dettes fournisseurs;260,0;270,0;268,0;280,0;281,0
Total passifs courants;500,0;505,0;500,0;520,0;530,0
Total actif;2 100,0;2 130,0;2 140,0;2 190,0;2 430,0
Total dettes;1 200,0;1 205,0;1 195,0;1 210,0;1 320,0
Capitaux propres;900,0;925,0;945,0;980,0;1 100,0`,
    faults: [
      { rule: 'gross-profit', period: '2024-Q4' },
      { rule: 'sign', period: '2024-Q4' },
      { rule: 'receivables-outgrow-sales', period: '2025-Q1' },
      { rule: 'balance-does-not-balance', period: '2025-Q1' },
    ],
    // 985 / 520; 455 / 1402.8 × 91.25; 120.3 × 4 / ((945 + 980) / 2)
    ratios: { 'currentRatio 2024-Q4': '1.8942', 'dso 2024-Q4': '29.597', 'returnOnEquity 2024-Q4': '0.5' },
  },
  {
    name: 'Spanish years, euros',
    file: 'cuentas.csv',
    content: `Cuenta de pérdidas y ganancias (EUR)\t2021\t2022\t2023\t2024\t2025
Importe neto de la cifra de negocios\t3.210.450\t3.480.900\t3.655.120\t3.655.120\t4.020.775
Aprovisionamientos\t(1.605.225)\t(1.740.450)\t(1.827.560)\t(1.827.560)\t(2.010.387)
Gastos de personal\t(820.000)\t(870.000)\t(910.000)\t(910.000)\t(985)
Amortización del inmovilizado\t(95.000)\t(97.000)\t(99.000)\t(99.000)\t(103.500)
Resultado de explotación\t412.225\t468.450\t503.560\t503.560\t548.388
Gastos financieros\t(31.000)\t(29.500)\t(28.000)\t(28.000)\t(26.400)
Resultado antes de impuestos\t381.225\t438.950\t475.560\t475.560\t521.988
Impuesto sobre sociedades\t(95.306)\t(109.738)\t(118.890)\t(118.890)\t(130.497)
Resultado del ejercicio\t285.919\t329.212\t356.670\t356.670\t319.491
\t\t\t\t\t
Balance de situación (EUR)\t2021\t2022\t2023\t2024\t2025
Existencias\t240.000\t255.000\t262.000\t262.500\t270.000
Efectivo\t310.000\t355.000\t402.000\t441.000\t437.000
Total activo corriente\t980.000\t1.050.000\t1.120.000\t1.190.000\t1.230.000
Total activo no corriente\t1.600.000\t1.650.000\t1.640.000\t1.655.000\t1.700.000
Total activo\t2.580.000\t2.700.000\t2.706.000\t2.845.000\t2.930.000
Total pasivo corriente\t610.000\t640.000\t655.000\t660.000\t690.000
Patrimonio neto\t1.150.000\t1.240.000\t1.330.000\t1.420.000\t1.505.000`,
    faults: [
      { rule: 'copied-period', period: '2024' },
      { rule: 'other-unit', period: '2025' },
      { rule: 'net-profit', period: '2025' },
      { rule: 'sum-of-assets', period: '2023' },
    ],
    // 1605225 / 3210450; 468450 / 29500; (4020775 / 3210450)^(1/4) − 1 is checked as a trend
    ratios: { 'grossMargin 2021': '0.5', 'interestCoverage 2022': '15.8797', 'equityRatio 2021': '0.4457' },
  },
  {
    name: 'American start-up, months below each other, dollars',
    file: 'monthly.csv',
    content: `Month,Net sales,COGS,Payroll,Marketing,Operating cash flow,Capital expenditures,Beginning cash,Ending cash,Accounts receivable
Jan-25,"$82,400.00","$24,720.00","$61,000.00","$14,100.00","($31,200.00)","($2,000.00)","$610,000.00","$576,800.00","$40,100.00"
Feb-25,"$84,100.00","$25,230.00","$61,500.00","$13,900.00","($30,400.00)","($1,500.00)","$576,800.00","$544,900.00","$41,300.00"
Mar-25,"$86,900.00","$26,070.00","$61,500.00","$14,600.00","($29,900.00)",($900.00),"$544,900.00","$514,100.00","$42,000.00"
Apr-25,"$88,200.00","$26,460.00","$62,000.00","$44,800.00","($60,100.00)","($1,100.00)","$514,100.00","$452,900.00","$42,800.00"
May-25,"$90,500.00","$27,150.00","$62,000.00","$14,200.00","($28,300.00)","($1,000.00)","$452,900.00","$423,600.00","$43,900.00"
Jun-25,"$91,300.00","$27,390.00","$62,500.00","$14,700.00","($28,000.00)",($800.00),"$425,300.00","$396,500.00","$44,100.00"
Jul-25,"$93,800.00","$28,140.00",,"$14,300.00","($27,500.00)","($1,200.00)","$396,500.00","$367,800.00","$45,600.00"
Aug-25,"$95,100.00","$28,530.00","$63,000.00","$14,500.00","($27,100.00)",($700.00),"$367,800.00","$340,000.00","$46,000.00"
Sep-25,"$96,700.00","$29,010.00","$63,000.00","$14,800.00","($26,900.00)",($900.00),"$340,000.00","$312,200.00","$46,900.00"`,
    faults: [
      { rule: 'spike', period: '2025-04' },
      { rule: 'opening-cash', period: '2025-06' },
      { rule: 'missing-period', period: '2025-07' },
    ],
    // (96700 − 29010) / 96700; 46900 / 96700 × 365 / 12
    ratios: { 'grossMargin 2025-09': '0.7', 'dso 2025-09': '14.7522' },
  },
  {
    name: 'German years as JSON, millions',
    file: 'konzern.json',
    content: JSON.stringify({
      'GuV in Mio. EUR': {
        Umsatzerlöse: { '2023': 812.4, '2024': 845.1, '2025': 861.7 },
        Herstellungskosten: { '2023': 528.1, '2024': 549.3, '2025': 646.3 },
        'Bruttoergebnis vom Umsatz': { '2023': 284.3, '2024': 295.8, '2025': 215.4 },
        Zinsaufwendungen: { '2023': 20.1, '2024': 22.4, '2025': 24.0 },
        Betriebsergebnis: { '2023': 61.2, '2024': 58.7, '2025': 27.5 },
        Jahresüberschuss: { '2023': 30.4, '2024': 27.1, '2025': 4.2 },
      },
      'Bilanz in Mio. EUR': {
        Umlaufvermögen: { '2023': 310, '2024': 322, '2025': 335 },
        Anlagevermögen: { '2023': 520, '2024': 534, '2025': 541 },
        Bilanzsumme: { '2023': 830, '2024': 856, '2025': 876 },
        'Kurzfristige Schulden': { '2023': 240, '2024': 262, '2025': 348 },
        'Langfristige Schulden': { '2023': 280, '2024': 281, '2025': 283 },
        Eigenkapital: { '2023': 310, '2024': 313, '2025': 245 },
      },
      'Kapitalflussrechnung in Mio. EUR': {
        'Cashflow aus laufender Geschäftstätigkeit': { '2023': 48.2, '2024': 41.7, '2025': -6.3 },
        'Cashflow aus Investitionstätigkeit': { '2023': -33.0, '2024': -35.4, '2025': -30.1 },
      },
    }),
    faults: [
      { rule: 'margin-swing', period: '2025' },
      { rule: 'low-interest-coverage', period: '2025' },
      { rule: 'low-current-ratio', period: '2025' },
      { rule: 'profit-without-cash', period: '2025' },
    ],
    // 27.5 / 24; 215.4 / 861.7; 335 / 348
    ratios: { 'interestCoverage 2025': '1.1458', 'grossMargin 2025': '0.25', 'currentRatio 2025': '0.9626' },
  },
];
