import { describe, expect, test } from '@jest/globals';
import { parseFile } from '../../parsing/parse-file.ts';
import { fixture } from '../support/files/parsing.ts';

const parse = (name: string, content: string | Uint8Array, mediaType = '') =>
  parseFile({ name, mediaType, bytes: Buffer.from(content) });

describe('a text that does not say its encoding', () => {
  /** The encoding, the text, and the text in that encoding, in base64. */
  const texts: [string, string, string][] = [
    [
      'Shift_JIS',
      '有給休暇は年に二十日です。申請は二週間前までに行ってください。',
      'l0yLi4t4icmCzZROgsmT8Y9ck/qCxYK3gUKQXJC/gs2T8Y9UitSRT4LcgsWCyY1zgsGCxIKtgr6Cs4KigUI=',
    ],
    [
      'EUC-KR',
      '연차 휴가는 일 년에 이십 일입니다. 두 주 전에 신청하십시오.',
      'v6zC9yDI3rChtMIgwM8gs+K/oSDAzL3KIMDPwNS0z7TZLiC1ziDB1iDA/L+hIL3Fw7vHz73KvcO/wC4=',
    ],
    [
      'Big5',
      '員工每年享有二十天帶薪年假，須提前兩週申請。',
      'rfukdahDpn6oyaazpEekUaTRsWHBfqZ+sLKhQba3tKOrZajitmel073QoUM=',
    ],
    [
      'windows-1251',
      'Отпуск составляет двадцать дней в году. Заявление подаётся за две недели.',
      'zvLv8/HqIPHu8fLg4uv/5fIg5OLg5Pbg8vwg5O3l6SDiIOPu5PMuIMfg/+Lr5e3o5SDv7uTguPLx/yDn4CDk4uUg7eXk5evoLg==',
    ],
    [
      'ISO-8859-2',
      'Pracownik ma prawo do dwudziestu dni urlopu rocznie. Wniosek należy złożyć dwa tygodnie wcześniej.',
      'UHJhY293bmlrIG1hIHByYXdvIGRvIGR3dWR6aWVzdHUgZG5pIHVybG9wdSByb2N6bmllLiBXbmlvc2VrIG5hbGW/eSB6s2+/eeYgZHdhIHR5Z29kbmllIHdjemW2bmllai4=',
    ],
    [
      'windows-1254',
      'Çalışanların yılda yirmi gün izin hakkı vardır. Başvuru iki hafta önce yapılır, değişiklik için müdüre gidiniz.',
      'x2Fs/f5hbmxhcv1uIHn9bGRhIHlpcm1pIGf8biBpemluIGhha2v9IHZhcmT9ci4gQmH+dnVydSBpa2kgaGFmdGEg9m5jZSB5YXD9bP1yLCBkZfBp/mlrbGlrIGnnaW4gbfxk/HJlIGdpZGluaXou',
    ],
    [
      'windows-1252',
      'Les salariés ont droit à vingt jours de congé par an, après l’accord du chef.',
      'TGVzIHNhbGFyaelzIG9udCBkcm9pdCDgIHZpbmd0IGpvdXJzIGRlIGNvbmfpIHBhciBhbiwgYXBy6HMgbJJhY2NvcmQgZHUgY2hlZi4=',
    ],
    ['UTF-16LE', '有給休暇は年に二十日です。', 'CWdmfRFPh2ZvMHReazCMTkFT5WVnMFkwAjA='],
    ['UTF-16BE', 'The badge is handed out.', 'AFQAaABlACAAYgBhAGQAZwBlACAAaQBzACAAaABhAG4AZABlAGQAIABvAHUAdAAu'],
  ];

  test.each(texts)('is read as it was written in %s', async (_encoding, text, bytes) => {
    expect((await parse('a.txt', Buffer.from(bytes, 'base64'))).text).toBe(text);
  });

  test('is read as GBK', async () => {
    const { text } = await parse('products-gbk.csv', await fixture('products-gbk.csv'));
    expect(text).toContain('产品: 传感器S-2; 价格: 12; 说明: 用于测量水温和盐度');
  });

  test('is refused when nothing tells it', async () => {
    await expect(parse('a.txt', Buffer.from([0xb2, 0xfa, 0xc6, 0xb7]))).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining('encoding'),
    });
  });
});

describe('the encoding of a web page', () => {
  const cyrillic = Buffer.from('z/Do4uXyLCDs6PA=', 'base64');
  const page = (meta: string, text: Buffer) =>
    Buffer.concat([Buffer.from(`<html>${meta}<p>`), text, Buffer.from('</p>')]);

  test('is that of the header, also for plain text', async () => {
    const type = 'charset=windows-1251';
    expect((await parse('a', page('', cyrillic), `text/html; ${type}`)).text).toBe('Привет, мир');
    expect((await parse('a', page('<meta charset="iso-8859-1">', cyrillic), `text/html; ${type}`)).text).toBe(
      'Привет, мир',
    );
    expect((await parse('a.txt', cyrillic, `text/plain; ${type}`)).text).toBe('Привет, мир');
  });

  test('is that of <meta> when the bytes are not valid in that of the header', async () => {
    const html = page('<meta charset="windows-1251">', cyrillic);
    expect((await parse('a', html, 'text/html; charset=utf-8')).text).toBe('Привет, мир');
  });

  test('is UTF-8 when the bytes certainly are, whatever is said, also of a message', async () => {
    const chinese = '员工每年享有二十天假期';
    expect((await parse('a.html', `<meta charset="gbk"><p>${chinese}</p>`, 'text/html; charset=gb2312')).text).toBe(
      chinese,
    );
    const message = (charset: string) =>
      `From: a@example.com\r\nTo: b@example.com\r\nContent-Type: text/plain;\r\n charset="${charset}"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${chinese}`;
    expect((await parse('a.eml', message('GB2312'))).text).toContain(chinese);
  });

  test('is UTF-8 when the bytes are, although Latin-1 is said', async () => {
    const html = page('<meta charset="iso-8859-1">', Buffer.from('Привет, мир'));
    expect((await parse('a', html, 'text/html; charset=ISO-8859-1')).text).toBe('Привет, мир');
  });
});
