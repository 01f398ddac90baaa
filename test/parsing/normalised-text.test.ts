import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { detectLanguage } from '../../parsing/detect-language.ts';
import { normalise } from '../../parsing/normalise.ts';

describe('normalised text', () => {
  test('has no invisible characters', () => {
    expect(normalise('pay\u00adroll, zero\u200bwidth, \u202eright\u202c, tag\u{e0041}\u{e0100}, \u3164filler')).toBe(
      'payroll, zerowidth, right, tag, filler',
    );
  });

  test('keeps joiners only where a script or an emoji needs them', () => {
    expect(normalise('می\u200cخواهم, क\u094d\u200dष, 🧑\u200d🚀, 👩🏽\u200d🚀')).toBe(
      'می\u200cخواهم, क\u094d\u200dष, 🧑\u200d🚀, 👩🏽\u200d🚀',
    );
    expect(normalise('pay\u200droll \u200cthe\u200d re')).toBe('payroll the re');
  });

  test('composes letters and replaces variants of letters, unless that changes the meaning', () => {
    expect(normalise('Gru\u0308ße, ﬁnal, ＡＢＣ１, ｶﾞ, ⼈, ﻣﺮﺣﺒﺎ, a\u00a0b')).toBe(
      'Grüße, final, ABC1, ガ, 人, مرحبا, a b',
    );
    expect(normalise('10² m³, ½, H₂O, （注）, №, ™')).toBe('10² m³, ½, H₂O, （注）, №, ™');
  });

  test('has words that mix scripts to look Latin replaced by the Latin word', () => {
    expect(normalise('p\u0430ypal \u0420aypa\u04cf admi\u03bf')).toBe('paypal \u0420aypa\u04cf admio');
    expect(normalise('\u0440\u0430yp\u0430l, \u0410\u0421ME, \u039fracle')).toBe(
      'paypal, \u0410\u0421ME'.replace('\u0410\u0421', 'AC') + ', Oracle',
    );
  });

  test('keeps words of one script, and words that visibly mix scripts', () => {
    const text = 'Москва сор, ΑΒΕ, SMSка, kΩ, γH2AX, αB, ΔTmax, Яndex';
    expect(normalise(text)).toBe(text);
  });

  test('does not change when it is normalised again', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u200c',
        '\u200d',
        'م',
        '🚀',
        '🧑',
        'a',
        'а',
        'о',
        'ο',
        'ﬁ',
        'ｶ',
        'ﾞ',
        '\u0301',
        '\u0308',
        '\ufe0f',
        '\n',
        ' ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const once = normalise(pieces.join(''));
        expect(normalise(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the language', () => {
  test.each([
    ['en', 'Employees receive 28 days of paid leave each year.'],
    ['de', 'Alle Mitarbeitenden erhalten 28 Tage bezahlten Urlaub im Jahr.'],
    ['fr', 'Les salariés ont droit à 28 jours de congés payés par an.'],
    ['es', 'Los empleados reciben 28 días de vacaciones pagadas al año.'],
    ['it', 'I dipendenti hanno diritto a 28 giorni di ferie pagate.'],
    ['pt', 'Os funcionários recebem 28 dias de férias pagas por ano.'],
    ['nl', 'Werknemers krijgen 28 dagen betaald verlof per jaar.'],
    ['pl', 'Pracownicy otrzymują 28 dni płatnego urlopu rocznie.'],
    ['ru', 'Сотрудники получают 28 дней оплачиваемого отпуска в год.'],
    ['tr', 'Lütfen dizüstü bilgisayarınızı cumadan önce teslim edin.'],
    ['ja', '従業員は年間28日の有給休暇を取得できます。'],
    ['zh', '员工每年享有28天带薪休假，请提前申请。'],
  ])('of one sentence in %s is detected', async (language, sentence) => {
    expect(await detectLanguage(sentence)).toBe(language);
  });

  test('is unknown for numbers, codes and a few words', async () => {
    for (const text of ['12.50 EUR 4711 A-17', 'OK', 'SKU: X-100; Qty: 4; Price: 12.50', 'Laptop | Monitor'])
      expect(await detectLanguage(text)).toBeNull();
  });

  test('is the one of most of the text', async () => {
    const [german, english] = ['Alle erhalten 28 Tage Urlaub im Jahr. ', 'Everybody has 28 days of leave each year. '];
    expect(await detectLanguage(english.repeat(5) + german.repeat(300) + english.repeat(5))).toBe('de');
  });
});
