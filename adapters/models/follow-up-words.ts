// The words by which a follow-up question is recognised, of all languages together: a short one hardly shows its own.

const anyOf = (...lists: string[]) => lists.join(' ').trim().split(/\s+/).join('|');
const letter = '[\\p{L}\\p{N}]';
/** Matches one of the words, and no part of a word. Phrases are written with `_` between their words. */
const words = (list: string) => `(?<!${letter})(?:${list.replaceAll('_', '\\s+')})(?!${letter})`;

/** “and”, “or”, “but”, “then”; “what about”. */
const beginnings = anyOf(
  'and or but so also then ok okay what_about how_about what_if',
  'und oder aber dann was_ist_mit wie_ist_es_(mit|bei|für) wie_sieht_es_(mit|bei|für) wie_sieht_es_aus wie_steht_es_(um|mit)',
  "et ou mais alors donc qu[’']en_est-il",
  'y e o pero entonces qué_(pasa|hay)_(con|de)',
  'ed ma allora quindi che_ne_è',
  'mas então e_quanto_a',
  'en of maar dus hoe_zit_het_met hoe_is_het_met',
  'och eller hur_är_det_med og hva_med hvad_med',
  'ja tai mutta entä entäs',
  'а и или но тогда как_насч[её]т что_насч[её]т і або але',
  've veya peki ama',
  'أو لكن ماذا_عن وماذا_عن',
);

/** A question that is only “For managers?” begins with one of these. */
const prepositions = anyOf(
  'for in on at with without from to by during before after',
  'für bei im mit ohne ab nach vor während',
  'pour dans à avec sans pendant après avant chez',
  'para con sin durante después antes',
  'per senza dopo prima em com sem depois',
  'voor bij met zonder tijdens na för på utan efter uden uten etter',
  'для в на при без после до',
);

/** “For which trips …” is a question of its own. */
const questionWords = anyOf(
  'which what how whom whose welche[mnrs]? wen wem was wie wo quel(le)?s? qui quoi combien qué que cuál(es)?',
  'cuánt[ao]s? quién(es)? quale quali chi quant[aeio]s? qual quais quem welke wat hoe vilk[ae][nt]? vem vad hvilke[nt]?',
  'hvem hva hvad как\\p{L}* кого чего кем сколько',
);

/** In scripts without spaces, and in Arabic, where “and” is part of the next word. */
const unspacedBeginnings =
  '那么?|还有|另外|では|じゃあ?|それでは|それから|あと|また|그럼|그러면|그리고|و(?=ماذا|هل|في|ل|ب|عن|كم|كيف|أين)';

/** The beginning of a follow-up: “And …”, “What about …”, “For managers?”; several of them. */
export const followUpBeginning = new RegExp(
  `^([\\s¿¡"“„«]*(${words(beginnings)}|${words(prepositions)}(?!\\s+${words(questionWords)})|${unspacedBeginnings})[\\s,:.…–，、-]*)+`,
  'iu',
);

/** The end of a follow-up that only names a subject: “那兼职呢？”, “パートは？”, “시간제는?”, “Stajyerler için?”. */
export const followUpEnd = /(呢|は|って|なら|の場合|은요?|는요?|\s(için|ya))[\s。]*[?？]\s*$/u;

/** English words that refer to an earlier message. Not matched: “Is it allowed to …”, “is there a …”, “this year”. */
const englishReference =
  /(?<!\bis )\bit\b|\bis it\b(?! \w+ (to|that|for)\b)|\b(its|they|them|their|theirs|those|these|ones|he|she|him|her|his|that)\b|\bthis\b(?! (year|quarter|month|week|morning|company)\b)|(?<!\b(is|are|was|were) )\bthere\b(?! (is|are|was|were)\b)/i;
const otherReferences = new RegExp(
  `${words(
    anyOf(
      'dafür davon damit dabei dazu dagegen darüber dort hierfür ihnen',
      'elles? eux ceux celles? celui cela ça là-bas',
      'ellos ellas él ella eso esto allí ahí',
      'essi ciò loro lì eles elas isso isto aquilo lá',
      'daarvoor daarvan daarmee daarbij hen dem dit',
      'это этого этому они их им там',
      'bunun bunu onlar onların orada',
      'ذلك هذا هناك هؤلاء',
    ),
  )}|${words('das')}(?=\\s*([?.!,]|$)|\\s+(auch|so|denn|noch|für|bei|mit|in|zu|dann)(?!${letter}))|它|他们|她们|那里|这样|それ|その|そこ|그것|그건|거기`,
  'iu',
);

/** Whether a message has a word that refers to an earlier one. */
export const refersBack = (text: string): boolean => englishReference.test(text) || otherReferences.test(text);

/** Words that carry meaning in an independent question but none in a follow-up. */
export const fillers = new RegExp(
  words(
    anyOf('also else instead same still again apply applies', 'auch gilt gelten sonst stattdessen aussi même también'),
  ),
  'giu',
);

/**
 * What a question asks of a thing that it does not name: “Is there a maximum?”. Scripts without spaces with the words
 * around it.
 */
export const aspects = new RegExp(
  `${words(
    anyOf(
      'maximum minimum max min limits? caps? deadlines? exceptions? conditions?',
      'obergrenze untergrenze grenze höchstgrenze höchstbetrag frist ausnahmen? bedingungen?',
      'limite plafond délai máximo mínimo límite tope plazo excepci(ón|ones) condiciones',
      'massimo minimo scadenza eccezion[ei] prazo exceç(ão|ões)',
      'limiet uitzondering(en)? gräns undantag grense grænse unntak undtagelser? maksimum',
      'максимум минимум лимит ограничени[ея] исключени[ея] срок',
      'sınır sınırı istisna azami',
    ),
  )}|(有没有|有|是)?(最高)?(上限|下限|限制|期限|例外)(是多少|是什么|吗|嗎|は?何?ですか|はありますか|がありますか|는|은|가|이)?`,
  'giu',
);

/** The reader who is addressed is no subject of before: “Who are you?”. */
export const addressesReader = new RegExp(
  `${words('you(rs?)? du dich dir euch tu toi vous tú usted te voi você jij jou je ты вы тебя вас sen siz'.split(' ').join('|'))}|你|您|あなた`,
  'iu',
);
