import { createPause } from '../../../runtime/create-pause.ts';
import { contractData, type Hazard, type Topic } from '../data/read-contract-data.ts';
import type { Risk } from '../data/read-checklists.ts';
import { highestRisk, levelOf, lowered, raised, type Audit, type Clause } from '../audit/audit.ts';
import { stemsIn, titleAt, type LegalText, type Unit } from '../text/legal-text.ts';
import { quotationOf, type Quotation } from '../text/quotation.ts';
import type { Finder } from '../text/signals.ts';
import { accepts, compareQuantities, createRedLine, type Comparison } from './compare.ts';
import type { Parties } from './parties.ts';
import type { Playbook, Position } from './playbook.ts';

/** What is proposed: text in place of a part of the contract, or a new clause. */
export type Proposal = { text: string; replaces?: { start: number; end: number } };

export type ContractFinding = {
  topic: string;
  title: string;
  /**
   * - `red-line`, `deviation`, `fallback`: compared with the playbook.
   * - `hazard`: puts our party at a disadvantage, in any contract.
   * - `missing`: no sentence on it was found; `lookedFor` says by which signals.
   */
  status: 'red-line' | 'deviation' | 'fallback' | 'hazard' | 'missing';
  clauses: Clause[];
  lookedFor?: string[];
  /** The row of the playbook. */
  position?: Quotation & { source: 'playbook' };
  risk: { level: Risk; rule: string };
  lawyer?: string;
  proposal?: Proposal;
};

export type Review = {
  findings: ContractFinding[];
  /** Rows of the playbook that code cannot compare: the clauses are quoted for a person to read. */
  toRead: { topic: string; position: Quotation & { source: 'playbook' }; clauses: Clause[] }[];
  /** Topics whose clauses are within the preferred position. */
  preferred: { topic: string; clauses: Clause[] }[];
  risk: Audit['risk'];
};

type Deps = { document: LegalText; finder: Finder; parties: Parties; playbookText: string };
type Row = { topic: Topic; position: Position | undefined; located: Unit[] };

/** Most words between the terms of a hazard. */
const maxHazard = 25;
/** Most sentences that are reported for one red line. */
const maxCrossed = 200;
/** Most sentences that are quoted for one finding. */
const maxClauses = 3;

/** Compares a contract with a playbook, and looks for clauses that put our party at a disadvantage. */
export async function reviewContract(deps: Deps, playbook: Playbook): Promise<Review> {
  const pause = createPause();
  const rows = await rowsOf(deps, playbook, pause);
  const findings: ContractFinding[] = [];
  for (const row of rows) {
    const hazards = hazardsOf(deps, row);
    await pause();
    findings.push(...(await comparedOf(deps, row)), ...hazards, ...(await crossedOf(deps, row, hazards)));
    if (hazards.length === 0) findings.push(...missingOf(deps, row));
    await pause();
  }
  const isFound = (topic: string) => findings.some((finding) => finding.topic === topic);
  const preferred: Review['preferred'] = [];
  const toRead: Review['toRead'] = [];
  for (const { topic, position, located } of rows) {
    if (!position || located.length === 0 || isFound(position.topic)) continue;
    const good = await comparisonsOf(deps, { topic, position, located });
    const clauses = clausesOf(deps, good.length > 0 ? good.map(({ unit }) => unit) : located);
    if (good.length > 0) preferred.push({ topic: position.topic, clauses });
    else toRead.push({ topic: position.topic, position: rowQuotation(deps, position), clauses });
  }
  const sorted = findings.sort((a, b) => levelOf(b) - levelOf(a));
  return { findings: sorted, toRead, preferred, risk: highestRisk(sorted) };
}

/** Every topic that is known, with its row of the playbook, and every row whose topic is not known. */
async function rowsOf(deps: Deps, { positions }: Playbook, pause: () => Promise<void>): Promise<Row[]> {
  const taken = new Set<Position>();
  const known = contractData().topics.map((topic) => {
    const position = positions.find((one) => !taken.has(one) && isTopic(topic, one.topic));
    if (position) taken.add(position);
    return { topic, position };
  });
  const others = positions.filter((one) => !taken.has(one)).map((position) => ({ topic: topicOf(position), position }));
  const rows: Row[] = [];
  for (const row of [...known, ...others]) {
    rows.push({ ...row, located: locate(deps, row.topic) });
    await pause();
  }
  return rows;
}

/** A topic that only the playbook knows: its clauses are found by its name. */
function topicOf({ topic, preferred, clause }: Position): Topic {
  const signal = stemsIn(topic).join(' + ');
  return {
    id: topic,
    names: [topic],
    locate: [signal],
    measure: (['days', 'percent', 'money'] as const).map((unit) => ({ unit, near: [signal] })),
    worse: {},
    expected: /must|required|shall|need/i.test(preferred),
    severity: 'medium',
    lawyer: false,
    clause,
  };
}

/** The sentences on a topic: by its signals, and all below a heading that names it. */
function locate({ document, finder }: Deps, topic: Topic): Unit[] {
  const found = topic.locate.flatMap((signal) => finder.find(signal, { inHeadings: true }));
  const named = new Set(document.sections.flatMap(({ stems }, i) => (hasTitle(stems, topic) ? [i] : [])));
  const below = document.units.filter((unit) => !unit.isHeading && named.has(unit.section));
  return [...new Set([...found, ...below])].sort((a, b) => a.start - b.start);
}

/** Whether a heading names a topic. */
const hasTitle = (title: readonly string[], { names }: Topic): boolean =>
  names.some((name) => ` ${title.join(' ')} `.includes(` ${stemsIn(name).join(' ')} `));

const isTopic = ({ names }: Topic, name: string): boolean => {
  const stems = stemsIn(name).join(' ');
  return names.some((one) => stemsIn(one).join(' ') === stems);
};

const clausesOf = ({ document }: Deps, units: Unit[]): Clause[] =>
  units.slice(0, maxClauses).map((unit) => ({ ...quotationOf(document.text, unit), section: titleAt(document, unit) }));

const rowQuotation = ({ playbookText }: Deps, { start, end }: Position) => ({
  ...quotationOf(playbookText, { start, end }),
  source: 'playbook' as const,
});

const comparisonsOf = async (
  { document, finder, parties }: Deps,
  { topic, position, located }: Row,
): Promise<Comparison[]> =>
  position ? compareQuantities(document, finder, { topic, located, position, side: parties.side }) : [];

const levelOfVerdict = (verdict: Comparison['verdict'], severity: Risk): Risk =>
  verdict === 'red-line' ? 'critical' : verdict === 'fallback' ? 'low' : severity;

async function comparedOf(deps: Deps, row: Row): Promise<ContractFinding[]> {
  const { topic, position } = row;
  if (!position) return [];
  return (await comparisonsOf(deps, row)).flatMap(({ unit, quantity, verdict, wanted, rule }): ContractFinding[] => {
    if (verdict === 'preferred') return [];
    const level = levelOfVerdict(verdict, topic.severity);
    const isPlace = quantity.unit === 'law' || quantity.unit === 'court';
    return [
      {
        topic: position.topic,
        title: `${position.topic}: ${quantity.text} in place of ${wanted}`,
        status: verdict,
        clauses: clausesOf(deps, [unit]),
        position: rowQuotation(deps, position),
        risk: { level, rule: `${rule}: ${ruleOf(verdict, topic.severity)}` },
        ...(level === 'critical' || (topic.lawyer && verdict !== 'fallback')
          ? { lawyer: 'departs from the playbook' }
          : {}),
        ...(verdict === 'fallback'
          ? {}
          : { proposal: { text: isPlace ? firstPlace(wanted) : wanted, replaces: quantity } }),
      },
    ];
  });
}

const ruleOf = (verdict: Comparison['verdict'], severity: Risk): string =>
  verdict === 'red-line'
    ? 'a red line is critical'
    : verdict === 'fallback'
      ? 'a fallback is low'
      : `a deviation has the topic’s level, ${severity}`;

/** The first place that a cell names: "England and Wales" of "England and Wales; Ireland". */
const firstPlace = (cell: string) =>
  (cell.split(/[;,(]| or /)[0] ?? cell).replace(/^(?:the )?(?:laws?|courts?) of (?:the )?/i, '').trim();

function hazardsOf(deps: Deps, { topic, position }: Row): ContractFinding[] {
  const { finder, parties } = deps;
  const ofTopic = contractData().hazards.filter(
    (hazard) => hazard.topic === topic.id && (hazard.for ?? parties.side) === parties.side,
  );
  return ofTopic.flatMap((hazard): ContractFinding[] => {
    const units = [
      ...new Set(hazard.signals.flatMap((signal) => finder.find(signal, { inHeadings: true, within: maxHazard }))),
    ];
    if (units.length === 0 || hazard.unless.some((signal) => finder.find(signal).length > 0)) return [];
    const { level, rule } = riskOf(hazard, position, units);
    return [
      {
        topic: position?.topic ?? topic.names[0] ?? topic.id,
        title: hazard.title,
        status: level === 'critical' && rule.startsWith('crosses') ? 'red-line' : 'hazard',
        clauses: clausesOf(deps, units),
        ...(position ? { position: rowQuotation(deps, position) } : {}),
        risk: { level, rule },
        ...(level === 'critical' || topic.lawyer ? { lawyer: 'a clause at our disadvantage' } : {}),
        proposal: {
          text: `${position?.clause ?? hazard.replace}.`.replace(/\.\.$/, '.'),
          replaces: sentenceBehindNumber(deps, units[0]),
        },
      },
    ];
  });
}

/** A sentence without the number of its clause, which stays. */
function sentenceBehindNumber({ document: { text } }: Deps, unit: Unit | undefined): { start: number; end: number } {
  if (!unit) return { start: 0, end: 0 };
  const number =
    /^(?:[-*+•]\s+)?(?:\(?(?:\d{1,2}(?:\.\d{1,2})*|[a-z]|[ivx]+)[.)]?\)?\s+(?=\p{Lu}))?(?:\*\*[^*]+\*\*\s*)?/u.exec(
      text.slice(unit.start, unit.end),
    )?.[0];
  return { start: unit.start + (number?.length ?? 0), end: unit.end };
}

function riskOf({ risk, title }: Hazard, position: Position | undefined, units: Unit[]): { level: Risk; rule: string } {
  if (!position) return { level: risk, rule: `a clause of this kind is ${risk}; the playbook has no row on it` };
  const crossedBy = createRedLine(position.redLine);
  const crossed = units.map(({ stems }) => crossedBy(stems)).find((part) => part !== undefined);
  const named = crossed ?? crossedBy(stemsIn(title));
  if (named !== undefined) return { level: 'critical', rule: `crosses the red line of the playbook: ${named}` };
  if (accepts(position, title))
    return {
      level: lowered(risk),
      rule: `a clause of this kind is ${risk}; one level less, because the playbook accepts it in part`,
    };
  return { level: risk, rule: `a clause of this kind is ${risk}` };
}

/** Clauses that cross a red line in words, where no hazard has found them. */
async function crossedOf(
  deps: Deps,
  { topic, position, located }: Row,
  hazards: ContractFinding[],
): Promise<ContractFinding[]> {
  if (!position) return [];
  const pause = createPause();
  const known = new Set(hazards.flatMap(({ clauses }) => clauses.map(({ start }) => start)));
  const crossedBy = createRedLine(position.redLine);
  const found: ContractFinding[] = [];
  for (const unit of located) {
    await pause();
    const crossed = known.has(unit.start) ? undefined : crossedBy(unit.stems);
    if (crossed === undefined) continue;
    if (found.length >= maxCrossed) break;
    found.push({
      topic: position.topic,
      title: `${position.topic}: a red line`,
      status: 'red-line',
      clauses: clausesOf(deps, [unit]),
      position: rowQuotation(deps, position),
      risk: {
        level: raised(topic.severity),
        rule: `has the words of the red line (${crossed}): one level above the topic’s ${topic.severity}`,
      },
      lawyer: 'a clause has the words of a red line',
    });
  }
  return found;
}

function missingOf(deps: Deps, { topic, position, located }: Row): ContractFinding[] {
  const wanted =
    topic.expected ||
    (position !== undefined && topic.clause !== undefined && !/^(no|none|not|never)\b/i.test(position.preferred));
  if (!wanted || located.length > 0) return [];
  const clause = position?.clause ?? topic.clause;
  return [
    {
      topic: position?.topic ?? topic.names[0] ?? topic.id,
      title: `No clause on ${topic.names[0]}`,
      status: 'missing',
      clauses: [],
      lookedFor: topic.locate,
      ...(position ? { position: rowQuotation(deps, position) } : {}),
      risk: { level: topic.severity, rule: `missing: the topic’s own level, ${topic.severity}` },
      ...(topic.lawyer ? { lawyer: `the contract is silent on ${topic.names[0]}` } : {}),
      ...(clause === undefined ? {} : { proposal: { text: clause } }),
    },
  ];
}
