import fc from 'fast-check';
import t from 'tap';
import { parsePhoneNumber } from '../../src/base/phone-number.ts';
import type { Pop3Config } from '../../src/config/config.ts';
import { replyToken } from '../../src/modules/kit/reply-token.ts';
import { decodeText, decodeWords } from '../../src/modules/pop3/charset.ts';
import { decide, numbersOf } from '../../src/modules/pop3/decide.ts';
import { htmlToText, ownText, withoutMarks } from '../../src/modules/pop3/mail-text.ts';
import type { Mail } from '../../src/modules/pop3/parse-mail.ts';
import { parseMail } from '../../src/modules/pop3/parse-mail.ts';
import { memoryNotebook } from '../support/memory-notebook.ts';

/** Labels as mails have them, octets, and the text that they are. */
const encodings: readonly (readonly [label: string, octets: string, text: string])[] = [
  ['utf-8', octetsOf('Žąsis 🙂 €'), 'Žąsis 🙂 €'],
  ['UTF8', octetsOf('ü'), 'ü'],
  ['"utf-8"', octetsOf('ü'), 'ü'],
  ['utf8mb4', octetsOf('🙂'), '🙂'],
  ['utf-8', 'M\xfcller', 'Müller'],
  ['utf-8', `${octetsOf('Žąsis')}\xc4`, 'Žąsis\ufffd'],
  ['', octetsOf('Žąsis'), 'Žąsis'],
  ['', 'M\xfcller \x80', 'Müller €'],
  ...[
    'unknown',
    'unknown-8bit',
    'UNKNOWN-8BIT',
    'x-unknown',
    '8bit',
    'x-user-defined',
    'us-ascii',
    'no-such-1',
  ].flatMap(
    (label) =>
      [
        [label, octetsOf('Žąsis'), 'Žąsis'],
        [label, 'M\xfcller \x80', 'Müller €'],
      ] as const,
  ),
  ['binary', octetsOf('ü'), 'ü'],
  ['base64', octetsOf('ü'), 'ü'],
  ['iso-8859-1', 'Ma\xdfe \x93x\x94', 'Maße “x”'],
  ['ISO_8859-1:1987', '\xe9', 'é'],
  ['latin1', '\xe9', 'é'],
  ['iso-8859-2', '\xb1\xe6\xea', 'ąćę'],
  ['ISO-8859-9', '\xfd\x80', 'ı€'],
  ['iso-8859-15', '\xa4', '€'],
  ['iso-8859-8-i', '\xf9\xec\xe5\xed', 'שלום'],
  ['windows-1250', '\xb9\xe6', 'ąć'],
  ['CP1257', '\xe0\xe8\xe6', 'ąčę'],
  ['x-cp1257', '\xe0\xe8\xe6', 'ąčę'],
  [' Windows-1257 ', '\xe0\xe8\xe6', 'ąčę'],
  ['windows-1251', '\xcf\xf0\xe8', 'При'],
  ['koi8-r', '\xf0\xd2', 'Пр'],
  ['koi8-ru', '\xf0\xd2', 'Пр'],
  ['cp866', '\x8f\xe0', 'Пр'],
  ['cp437', '\x81\x84\x94\xe1', 'üäöß'],
  ['ibm437', '\x81', 'ü'],
  ['cp850', '\x81\x84\x94\xe1\xd5', 'üäößı'],
  ['IBM850', '\x81', 'ü'],
  ['cp852', '\xa5\x86', 'ąć'],
  ['cp775', '\xd0\xd1', 'ąč'],
  ['macintosh', '\x9f\xe9', 'üÈ'],
  ['tis-620', '\xa1', 'ก'],
  ['utf-7', 'Hi Mom +Jjo--+ZeVnLIqe-', 'Hi Mom ☺-日本語'],
  ['unicode-1-1-utf-7', 'M+APw-ller', 'Müller'],
  ['utf-16', '\xfe\xff\x00A\x20\xac', 'A€'],
  ['utf-16le', 'A\x00\xac\x20', 'A€'],
  ['gb2312', '\xc4\xe3\xba\xc3', '你好'],
  ['gb18030', '\xc4\xe3', '你'],
  ['big5', '\xa7\x41', '你'],
  ['shift_jis', '\x93\xfa\x96\x7b', '日本'],
  ['euc-jp', '\xc6\xfc\xcb\xdc', '日本'],
  ['euc-kr', '\xc7\xd1', '한'],
  ['ks_c_5601-1987', '\xc7\xd1', '한'],
];

function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

t.test('encodings', async (t) => {
  for (const [label, octets, text] of encodings) {
    const given = Buffer.from(octets, 'latin1');
    t.equal(decodeText(given, label), text, `${label}: ${text}`);
    const bare = label.trim().replace(/"/g, '');
    if (bare === '') continue;
    t.equal(decodeWords(`=?${bare}?B?${given.toString('base64')}?=`), text, `${label} in a header`);
    const headers = ['Subject: 1', `Content-Type: text/plain; charset=${label}`, 'Content-Transfer-Encoding: base64'];
    t.equal((await parseMail(raw(headers, given.toString('base64')))).text, text, `${label} in a mail`);
  }
  if (typeof Intl === 'object') {
    t.equal(decodeText(Buffer.from('\x1b$B$3\x1b(B', 'latin1'), 'iso-2022-jp'), 'こ', 'with Intl');
  }
});

/** A mail with these header lines and this body, one character an octet. */
function raw(headers: readonly string[], body: string): Buffer {
  return Buffer.from([...headers, '', body].join('\n').replace(/\n/g, '\r\n'), 'latin1');
}

const octets = octetsOf;
const plain = (charset: string, encoding = '8bit') => [
  'Subject: +37060000001',
  `Content-Type: text/plain; charset=${charset}`,
  `Content-Transfer-Encoding: ${encoding}`,
];

t.test('texts', async (t) => {
  const alternative = (...parts: readonly (readonly [string, string])[]) =>
    parts.map(([type, text]) => `--b\nContent-Type: ${type}\n\n${text}\n`).join('');
  const multipart = (kind: string) => ['Subject: 1', `Content-Type: multipart/${kind}; boundary="b"`];
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['nothing about MIME', raw(['Subject: 1'], 'Hello\n\nworld'), 'Hello\n\nworld'],
    ['UTF-8', raw(plain('utf-8'), octets('Žąsis 🙂 €')), 'Žąsis 🙂 €'],
    ['8-bit, UTF-8, undeclared', raw(['Subject: 1'], octets('Žąsis')), 'Žąsis'],
    ['8-bit, windows-1252, undeclared', raw(['Subject: 1'], 'M\xfcller \x80'), 'Müller €'],
    ['8-bit, declared as ASCII', raw(plain('us-ascii'), 'M\xfcller'), 'Müller'],
    ['latin1', raw(plain('ISO-8859-1'), 'Ma\xdfe'), 'Maße'],
    ['windows-1257', raw(plain('windows-1257'), '\xe0\xe8\xe6'), 'ąčę'],
    ['quoted-printable', raw(plain('utf-8', 'quoted-printable'), 'soft=\n line =C4=85=20\n=3D'), 'soft line ą \n='],
    ['quoted-printable, latin1', raw(plain('iso-8859-1', 'quoted-printable'), 'M=FCller'), 'Müller'],
    ['base64', raw(plain('utf-8', 'base64'), Buffer.from('Labas ąčę\n').toString('base64')), 'Labas ąčę'],
    ['base64, koi8-r', raw(plain('koi8-r', 'base64'), Buffer.from([0xf0, 0xd2]).toString('base64')), 'Пр'],
    [
      'format=flowed',
      raw(['Subject: 1', 'Content-Type: text/plain; format=flowed'], 'One \nline.\nTwo\n From here'),
      'One line.\nTwo\nFrom here',
    ],
    [
      'text before HTML',
      raw(multipart('alternative'), `${alternative(['text/plain', 'plain'], ['text/html', '<b>html</b>'])}--b--`),
      'plain',
    ],
    [
      'HTML first in the mail',
      raw(multipart('alternative'), `${alternative(['text/html', '<b>html</b>'], ['text/plain', 'plain'])}--b--`),
      'plain',
    ],
    ['HTML alone', raw(['Subject: 1', 'Content-Type: text/html'], '<p>a&nbsp;&lt;b&gt;</p><p>c'), 'a <b>\n\nc'],
    [
      'an empty text beside HTML',
      raw(multipart('alternative'), `${alternative(['text/plain', '  '], ['text/html', '<b>html</b>'])}--b--`),
      'html',
    ],
    [
      'an attachment',
      raw(
        multipart('mixed'),
        '--b\n\ntext\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nnot this\n--b--',
      ),
      'text',
    ],
    [
      'a forwarded mail',
      raw(multipart('mixed'), '--b\n\ntext\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nnot this\n--b--'),
      'text',
    ],
    ['just "text"', raw(['Subject: 1', 'Content-Type: text'], 'text alone'), 'text alone'],
    ['just "text", with an encoding', raw(['Subject: 1', 'Content-Type: text; charset=cp850'], 'M\x81ller'), 'Müller'],
    [
      'text that is only attached, as phones send MMS by mail',
      raw(
        multipart('mixed'),
        [
          '--b\nContent-Type: application/smil\n\n<smil/>',
          '--b\nContent-Type: image/jpeg\nContent-Disposition: attachment\n\nx',
          '--b\nContent-Type: text/plain; charset=cp850; name=text_0.txt\nContent-Disposition: attachment\n\nM\x81ller',
          '--b--',
        ].join('\n'),
      ),
      'Müller',
    ],
    [
      'text that is only attached, beside an empty text',
      raw(
        multipart('mixed'),
        '--b\n\n \n--b\nContent-Type: text/html\nContent-Disposition: attachment\n\n<p>in HTML</p>\n--b--',
      ),
      'in HTML',
    ],
    [
      'a text file without a type',
      raw(['Subject: 1', 'Content-Type: application/octet-stream; name="a.TXT"'], 'text'),
      'text',
    ],
    ['an image', raw(['Subject: 1', 'Content-Type: image/png'], 'text'), ''],
    [
      'invisible characters beside HTML',
      raw(
        multipart('alternative'),
        `${alternative(
          ['text/plain; charset=utf-8', octets('\u200b\u00a0\u200e\ufeff\u2060\u00ad')],
          ['text/html', '<b>html</b>'],
        )}--b--`,
      ),
      'html',
    ],
    [
      'HTML that names its encoding itself',
      raw(['Subject: 1', 'Content-Type: text/html'], '<meta charset="windows-1257"><p>\xe0'),
      'ą',
    ],
    [
      'HTML, and text behind it',
      raw(multipart('mixed'), `${alternative(['text/html', '<p>html</p>'], ['text/plain', 'footer'])}--b--`),
      'html\nfooter',
    ],
    ['invisible characters within', raw(plain('utf-8'), octets('\ufeffa\u200bb\u00adc')), 'abc'],
    ['no closing boundary', raw(multipart('mixed'), '--b\n\ntext'), 'text'],
    ['no body', raw(['Subject: 1'], ''), ''],
  ];
  for (const [what, mail, text] of cases) t.equal((await parseMail(mail)).text.trim(), text, what);
});

t.test('headers', async (t) => {
  const of = async (...headers: readonly string[]) => parseMail(raw(headers, 'x'));
  t.equal((await of('Subject: =?utf-8?B?KzM3MDYwMDAwMDAx?=')).subject, '+37060000001');
  t.equal((await of('Subject: =?windows-1257?Q?=E0?=')).subject, 'ą');
  t.equal((await of('Subject: =?utf-8?Q?a?=', ' =?utf-8?Q?b?=')).subject, 'ab');
  t.equal((await of('From: "A, B" <A.B@Example.COM>')).from, 'a.b@example.com');
  t.equal((await of('From: a@example.com', 'Reply-To: <c@example.com>')).answerTo, 'c@example.com');
  t.equal((await of('From: undisclosed:;')).from, undefined);
  t.equal((await of('From: a@example.com\u00ff')).from, undefined);
  t.equal((await of('Message-ID: <1@example.com>')).messageId, '<1@example.com>');
  const automatic = [
    'Auto-Submitted: auto-replied',
    'Precedence: bulk',
    'List-Id: <l.example.com>',
    'Return-Path: <>',
    'From: MAILER-DAEMON@example.com',
    'From: noreply@example.com',
  ];
  for (const header of automatic) t.equal((await of(header)).automatic, true, header);
  for (const header of ['Auto-Submitted: no', 'From: nora@example.com', 'Subject: auto-replied']) {
    t.equal((await of(header)).automatic, false, header);
  }
});

t.test('hostile mails', async (t) => {
  const nested = (depth: number): string =>
    depth === 0
      ? 'x'
      : `Content-Type: multipart/mixed; boundary=b${depth}\n\n--b${depth}\n${nested(depth - 1)}\n--b${depth}--`;
  const cases: readonly (readonly [string, Buffer])[] = [
    ['deep', raw([nested(100)], '')],
    ['a hundred thousand parts', raw(['Content-Type: multipart/mixed; boundary=b'], '--b\n\nx\n'.repeat(100_000))],
    ['endless headers', raw([`X: ${'y\n '.repeat(200_000)}`], '')],
  ];
  for (const [what, mail] of cases) await t.rejects(parseMail(mail), { code: 'invalid_argument' }, what);
  const slow: readonly (readonly [string, string])[] = [
    ['tags that do not end', '<a '.repeat(170_000)],
    ['quotes', `${'<a "\''.repeat(100_000)}"`],
    ['comments', '<!--'.repeat(130_000)],
    ['cells', '<td>'.repeat(130_000)],
    ['blanks', ' '.repeat(500_000)],
    ['deep', '<div>'.repeat(100_000)],
    ['deep tables', '<table><tr><td>'.repeat(30_000)],
    ['deep quotations', '<blockquote>'.repeat(45_000)],
    ['deep lists', '<ul><li>'.repeat(60_000)],
    ['tags that were never opened', `${'<i>'.repeat(80_000)}${'</b>'.repeat(60_000)}`],
    ['references', '&amp'.repeat(130_000)],
    ['lines', 'a<br>'.repeat(100_000)],
    ['hidden', '<p style="display:none">'.repeat(20_000)],
  ];
  for (const [what, html] of slow) {
    const start = performance.now();
    await parseMail(raw(['Content-Type: text/html'], html));
    t.ok(performance.now() - start < 20_000, what);
  }
});

t.test('any octets are read or refused', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      ...['', '--b', '--b--', 'Content-Type: multipart/mixed; boundary=b', 'Content-Type: text/html; charset=utf-7'],
      ...[
        'Content-Transfer-Encoding: base64',
        'Content-Type: text/plain; charset="',
        'Subject: =?x?B?====?=',
        ' folded',
      ],
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
      try {
        const { text, subject } = await parseMail(Buffer.from(lines.join('\r\n'), 'latin1'));
        return typeof text === 'string' && typeof subject === 'string';
      } catch (error) {
        return (error as { code?: string }).code === 'invalid_argument';
      }
    }),
    { numRuns: 500 },
  );
});

t.test('HTML', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    'a<br>b<BR/>c': 'a\nb\nc',
    '<p>1 &le; 2 &rarr; &alpha;&hearts;&Ccaron;&zcaron;&ndash;&NotEqualTilde;</p>': '1 ≤ 2 → α♥Čž–≂̸',
    '<h1>Alarm</h1><p>Pump</p>': 'Alarm\n\nPump',
    '<p>Go to <a href="https://example.com/x?y">the page</a><img src="cid:1" alt="logo"></p>': 'Go to the page',
    '<div style="display:none">preview</div><p>shown</p>': 'shown',
    '<div>a</div><div>b</div>': 'a\nb',
    'x<select><option>no</option></select>': 'x',
    '<pre>a\n  b</pre>': 'a\nb',
    '<p>a</p><hr><p>b</p>': 'a\n\nb',
    '<p>a</p>\n<p>b</p>': 'a\n\nb',
    '<ul><li>a</li><li>b</li></ul>': 'a\nb',
    '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>': 'a b\nc',
    '<head><title>no</title><style>p > a {}</style></head><body>yes<script>if (a<b) no()</script>': 'yes',
    '&auml;&#228;&#xE4;&amp;amp;&nosuch;&#0;&#xD800;&euro;': 'äää&amp;&nosuch;\ufffd\ufffd€',
    '1 < 2 &lt; 3 > 2': '1 < 2 < 3 > 2',
    '<a title="x > y" href=z>link</a>': 'link',
    '<!-- a > b -->c<!doctype html>d<?xml ?>e': 'cde',
    'a   \n  b': 'a b',
    '<b>a</b><i>b</i>': 'ab',
  };
  for (const [html, text] of Object.entries(cases)) t.equal(withoutMarks(await htmlToText(html)), text, html);
});

t.test('the text of the writer', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['text\n-- \nsignature', 'text'],
    ['text\n--\nsignature', 'text'],
    ['text\n\nOn Mon, 24 Nov 2026 at 10:00, A <a@example.com> wrote:\n> old\n> older', 'text'],
    ['text\n\nOn Mon, 24 Nov 2026 at 10:00, A <a@example.com>\nwrote:\n\n> old', 'text'],
    ['> old\n\ntext below', 'text below'],
    ['text\n\n-----Original Message-----\nFrom: a', 'text'],
    ['text\n________________________________\nFrom: a', 'text'],
    ['buy:\n- milk\n- tea', 'buy:\n- milk\n- tea'],
    ['a -- b', 'a -- b'],
    ['Hello:\n> old', ''],
  ];
  for (const [text, own] of cases) t.equal(ownText(text), own, text);
});

t.test('subjects', async (t) => {
  const strict = { loose: false, most: 1 };
  const loose = { loose: true, most: 1 };
  const several = { loose: false, most: 3 };
  const cases: readonly (readonly [string, Parameters<typeof numbersOf>[1], readonly string[] | undefined])[] = [
    ['+37060000001', strict, ['+37060000001']],
    ['0037060000001', strict, ['+37060000001']],
    ['860000001', strict, ['860000001']],
    [' +37060000001 ', strict, ['+37060000001']],
    ['+370 600 00001', strict, undefined],
    ['Re: +37060000001', strict, undefined],
    ['', strict, undefined],
    ['Hello', strict, undefined],
    ['*100#', strict, undefined],
    ['+37060000001,+37060000002', strict, undefined],
    ['+370 600 00001', loose, ['+37060000001']],
    ['Re: Fwd: AW: +370 (600) 00-001', loose, ['+37060000001']],
    ['Re[2]: 0037060000001', loose, ['+37060000001']],
    ['Re(2): 0037060000001', loose, ['+37060000001']],
    ['Отв: +37060000001', loose, ['+37060000001']],
    ['回复：+37060000001', loose, ['+37060000001']],
    ['[EXTERNAL] +37060000001', loose, ['+37060000001']],
    ['[External Sender] Re: [EXT] +370 600 00001', loose, ['+37060000001']],
    ['Fwd: +37060000001 [EXTERNAL]', loose, ['+37060000001']],
    ['EXTERNAL: +37060000001', loose, ['+37060000001']],
    ['***SPAM*** +37060000001', loose, ['+37060000001']],
    ['tel:+370-600-00001', loose, ['+37060000001']],
    ['tel:%2B37060000001', loose, ['+37060000001']],
    ['TEL:+37060000001;ext=1', loose, ['+37060000001']],
    ['sms:+37060000001?body=hello%20you', loose, ['+37060000001']],
    ['sms://+37060000001', loose, ['+37060000001']],
    ['Re: SMS: +37060000001', loose, ['+37060000001']],
    ['Tel. +370 600 00001', loose, ['+37060000001']],
    ['tel:+37060000001', strict, undefined],
    ['\u202a+37060000001\u202c', strict, ['+37060000001']],
    ['\ufeff+370600\u200b00001\u200e', strict, ['+37060000001']],
    ['+370\u2011600\u201100001', strict, ['+37060000001']],
    ['\uff0b\uff13\uff17\uff10\uff16\uff10\uff10\uff10\uff10\uff10\uff10\uff11', strict, ['+37060000001']],
    ['+49 (0) 209 123456', loose, ['+49209123456']],
    ['+49 (0) 209 123456', strict, undefined],
    ['[EXTERNAL] +37060000001', strict, undefined],
    ['[EXTERNAL]', loose, undefined],
    ['tel:', loose, undefined],
    ['sms: hello', loose, undefined],
    ['[1] +37060000001', loose, undefined],
    ['Re: Hello', loose, undefined],
    ['+37060000001, 0037060000002;+37060000001', several, ['+37060000001', '+37060000002']],
    ['+37060000001, nobody', several, undefined],
    ['[EXTERNAL] tel:+37060000001;ext=1; sms:+37060000002', { loose: true, most: 3 }, ['+37060000001', '+37060000002']],
    ['1111,2222,3333,4444', several, undefined],
  ];
  for (const [subject, rules, numbers] of cases) t.strictSame(numbersOf(subject, rules), numbers, subject);
});

t.test('decisions', async (t) => {
  const config = {
    ...{ limit: 10, loose_subject: false, max_recipients: 1, strip_signature: false, allow_from: [] as string[] },
  } as unknown as Pop3Config;
  const mail: Mail = { from: 'a@example.com', subject: '+37060000001', text: 'hello', automatic: false };
  const book = memoryNotebook();
  const number = parsePhoneNumber('+37060000009');
  if (number === undefined) throw new Error('no number');
  t.equal(
    decide({ ...mail, subject: '[SMS +37060000009 abcdefghijkm]' }, config, book).type,
    'ignore',
    'no secret yet',
  );
  const token = await replyToken(number, book);
  t.match(token, /^\[SMS \+37060000009 [a-z2-9]{12}\]$/);
  t.equal(await replyToken(number, book), token, 'it stays the same');
  const closed = { ...config, allow_from: ['boss@example.com', '@Friends.example'] };
  const cases: readonly (readonly [string, Partial<Mail>, Pop3Config, string | RegExp])[] = [
    ['a plain one', {}, config, '+37060000001 hello'],
    ['an automatic one', { automatic: true }, config, '+37060000001 hello'],
    ['exactly as long as it may be', { text: ' 0123456789\n' }, config, '+37060000001 0123456789'],
    ['characters, not code units', { text: '🙂'.repeat(10) }, config, `+37060000001 ${'🙂'.repeat(10)}`],
    ['too long', { text: '01234567890' }, config, /too long/],
    ['empty', { text: ' \n ' }, config, /no text/],
    ['no number', { subject: 'Hello' }, config, /not a phone number/],
    ['a signature', { text: 'hi\n-- \nA' }, { ...config, strip_signature: true }, '+37060000001 hi'],
    ['our own', { messageId: '<sms-gateway.x@example.com>' }, config, /this gateway/],
    ['a stranger', {}, closed, /not allowed/],
    ['nobody', { from: undefined as unknown as string }, closed, /not allowed/],
    ['an allowed address', { from: 'boss@example.com' }, closed, '+37060000001 hello'],
    ['an allowed domain', { from: 'x@friends.example' }, closed, '+37060000001 hello'],
    ['a domain below an allowed one', { from: 'x@my.friends.example' }, closed, /not allowed/],
    ['an answer', { subject: `Re: SMS ${token}`, text: 'ok\n> hello' }, config, '+37060000009 ok'],
    ['an answer of whom the token was given', { subject: `Re: ${token}` }, closed, '+37060000009 hello'],
    ['an answer by a program', { subject: `Re: ${token}`, automatic: true }, config, /automatic/],
    ['a forged number', { subject: token.replace('0009', '0008') }, config, /not a phone number/],
    [
      'a forged tag',
      { subject: token.replace(/.\]$/, (end) => (end === 'a]' ? 'b]' : 'a]')) },
      config,
      /not a phone number/,
    ],
  ];
  for (const [what, changes, rules, wanted] of cases) {
    const decision = decide({ ...mail, ...changes }, rules, book);
    const said = decision.type === 'send' ? `${decision.numbers.join()} ${decision.text}` : decision.reason;
    t.match(said, wanted, what);
    t.equal(decision.type, typeof wanted === 'string' ? 'send' : 'ignore', what);
  }
});

t.test('of two From lines none counts, since the mail server may have checked the other', async (t) => {
  const { from, answerTo } = await parseMail(
    Buffer.from('From: a@example.com\r\nFrom: b@example.com\r\nSubject: +37060000001\r\n\r\nhello\r\n'),
  );
  t.strictSame([from, answerTo], [undefined, undefined]);
});

t.test('a mail of more lines than a person writes is not parsed', async (t) => {
  for (const line of ['\r\n', 'a\n', 'a: b\r\n']) {
    const raw = Buffer.from(line.repeat(Math.floor((511 * 1024) / line.length)));
    await t.rejects(parseMail(raw), { code: 'invalid_argument', message: /more than 20000 lines/ });
  }
});
