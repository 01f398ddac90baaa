import { seededRandom } from '../../../cli/eval/seeded-random.ts';

const first = 'Ann Bob Carla Dan Eve Frank Grace Hugo Ines Jan Kira Leo Mona Nils Olga Paul Quinn Rosa Sven Tara'.split(
  ' ',
);
const last = 'Lee Ray Rossi Wu Park Kunz Silva Novak Meyer Okoye Dubois Costa Berg Haas Ito Jansen Kowal Lund'.split(
  ' ',
);
const companies = 'Northwind Globex Initech Umbrella Hooli Stark Wayne Acme Soylent Vehement'.split(' ');

/** Shares of the lines that are wrong, and that are of people who stand above. */
export const badShare = 0.05;
export const duplicateShare = 0.1;

type Person = { name: string; email: string; phone: string; company: string };

/** A CSV of contacts, always the same for a seed, in pieces of many lines. */
export function* generatedContacts(count: number, seed = 7): Generator<string> {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const known: Person[] = [];
  yield 'name,email,phone,company,country,Segment\r\n';
  let piece = '';
  for (let n = 0; n < count; n++) {
    const kind = random();
    if (kind < badShare) piece += `${pick(first)},nobody${n}@,${random() < 0.5 ? '12' : ''},,,\r\n`;
    else if (kind < badShare + duplicateShare && known.length > 0) piece += repeatOf(pick(known), random());
    else {
      const [given, family] = [pick(first), pick(last)];
      // Letters, because single ones and digits count for no name.
      const own = [...n.toString(26)].map((digit) => String.fromCharCode(97 + parseInt(digit, 26))).join('');
      const person = {
        name: `${given} ${family}${own}`,
        email: `${given}.${family}.${n}@example.com`,
        phone: `+49 151 ${String(20_000_000 + n)}`,
        company: `${pick(companies)} ${pick(['GmbH', 'Inc.', 'Ltd'])}`,
      };
      // What many upload later stands for all of them.
      if (known.length < 5_000) known.push(person);
      piece += `${person.name},${person.email},${person.phone},${person.company},Germany,retail\r\n`;
    }
    if (piece.length > 60_000) {
      yield piece;
      piece = '';
    }
  }
  yield piece;
}

function repeatOf({ name, email, phone, company }: Person, random: number): string {
  if (random < 0.4) return `${name.toUpperCase()},${email.toUpperCase()},,${company},DE,wholesale\r\n`;
  if (random < 0.7) return `${name},,${phone},,,\r\n`;
  const [given, family] = name.split(' ');
  return `"${family}, ${given}",,${phone.replace('151', '160')},${company.split(' ')[0]},,\r\n`;
}
