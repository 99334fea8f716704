import fc from 'fast-check';
import t from 'tap';
import { parsePhoneNumber } from '../../src/base/phone-number.ts';
import type { Pop3Config } from '../../src/config/config.ts';
import { replyToken } from '../../src/modules/kit/mail/reply-token.ts';
import { codePages } from '../../src/modules/pop3/code-pages.ts';
import { decide } from '../../src/modules/pop3/decide.ts';
import { htmlToText } from '../../src/modules/pop3/html-to-text.ts';
import type { Mail } from '../../src/modules/pop3/mail.ts';
import { parseMail } from '../../src/modules/pop3/parse-mail.ts';
import { ownText } from '../../src/modules/pop3/quoted-text.ts';
import { numbersOf } from '../../src/modules/pop3/subject.ts';
import { codePageOf, mendTextDecoder } from '../../src/modules/pop3/text-decoder.ts';
import type { Notebook } from '../../src/store/notes.ts';

const NativeDecoder = globalThis.TextDecoder;
const upper = Uint8Array.from({ length: 128 }, (_, at) => 0x80 + at);

t.test('code pages are those of the standard', async (t) => {
  t.equal(Object.keys(codePages).length, 24);
  mendTextDecoder();
  for (const name of Object.keys(codePages)) {
    const text = new TextDecoder(name).decode(upper);
    t.equal(text.length, 128, name);
    // Node 20 takes windows-1252 for ISO 8859-1.
    if (name !== 'windows-1252') t.equal(text, new NativeDecoder(name).decode(upper), name);
  }
  t.equal(
    new TextDecoder('windows-1252').decode(upper.subarray(0, 32)),
    '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ',
  );
  t.equal(new TextDecoder('iso-8859-1').decode(upper.subarray(32)), Buffer.from(upper.subarray(32)).toString('latin1'));
});

t.test('labels of encodings', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    ...{ 'ISO-8859-2': 'iso-8859-2', iso8859_2: 'iso-8859-2', latin2: 'iso-8859-2', l2: 'iso-8859-2' },
    ...{ CP1257: 'windows-1257', 'x-cp1257': 'windows-1257', ' Windows-1257 ': 'windows-1257' },
    ...{ 'us-ascii': 'windows-1252', 'ISO_8859-1:1987': 'windows-1252', 'iso-8859-9': 'windows-1254' },
    ...{ 'KOI8-R': 'koi8-r', koi8_u: 'koi8-u', cp866: 'ibm866', 'TIS-620': 'windows-874' },
  };
  for (const [label, name] of Object.entries(cases)) t.equal(codePageOf(label), name, label);
  for (const label of ['utf-8', 'utf-16le', 'gbk', 'shift_jis', 'euc-kr', '', 'constructor']) {
    t.equal(codePageOf(label), undefined, label);
  }
});

t.test('a runtime without Intl reads mails all the same', async (t) => {
  t.teardown(() => {
    globalThis.TextDecoder = NativeDecoder;
  });
  globalThis.TextDecoder = new Proxy(NativeDecoder, {
    construct(native, [label = 'utf-8', options]) {
      if (!/^(utf-?8|utf-16le)$/i.test(label)) throw new RangeError(`the encoding ${label} is not supported`);
      return new native(label, options);
    },
  });
  mendTextDecoder();
  t.equal(new TextDecoder('windows-1257').decode(Uint8Array.of(0xe0, 0xe8, 0xe6)), 'ąčę');
  t.equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from('\ufeffą')), '\ufeffą');
  t.equal(new TextDecoder('koi8-r').decode(Uint8Array.of(0xc1, 0xc2).buffer), 'аб');
  t.throws(() => new TextDecoder('shift_jis'), RangeError);
});

/** A mail with these header lines and this body, one character an octet. */
const raw = (headers: readonly string[], body: string) =>
  Buffer.from([...headers, '', body].join('\n').replace(/\n/g, '\r\n'), 'latin1');

const octets = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const plain = (charset: string, encoding = '8bit') => [
  'Subject: +37060000001',
  `Content-Type: text/plain; charset=${charset}`,
  `Content-Transfer-Encoding: ${encoding}`,
];

t.test('what a mail says', async (t) => {
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

t.test('mails made to do harm', async (t) => {
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
  ];
  for (const [what, html] of slow) {
    const start = performance.now();
    await parseMail(raw(['Content-Type: text/html'], html));
    t.ok(performance.now() - start < 2_000, what);
  }
});

t.test('whatever comes, it is read or refused', async () => {
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
    '<p>a</p>\n<p>b</p>': 'a\n\nb',
    '<ul><li>a</li><li>b</li></ul>': 'a\nb',
    '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>': 'a b\nc',
    '<head><title>no</title><style>p > a {}</style></head><body>yes<script>if (a<b) no()</script>': 'yes',
    '&auml;&#228;&#xE4;&amp;amp;&nosuch;&#0;&#xD800;&euro': 'äää&amp;&nosuch;\ufffd\ufffd€',
    '1 < 2 &lt; 3 > 2': '1 < 2 < 3 > 2',
    '<a title="x > y" href=z>link</a>': 'link',
    '<!-- a > b -->c<!doctype html>d<?xml ?>e': 'cde',
    'a   \n  b': 'a b',
    '<b>a</b><i>b</i>': 'ab',
  };
  for (const [html, text] of Object.entries(cases)) t.equal(htmlToText(html), text, html);
});

t.test('what the writer wrote himself', async (t) => {
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
    ['Re: Hello', loose, undefined],
    ['+37060000001, 0037060000002;+37060000001', several, ['+37060000001', '+37060000002']],
    ['+37060000001, nobody', several, undefined],
    ['1111,2222,3333,4444', several, undefined],
  ];
  for (const [subject, rules, numbers] of cases) t.strictSame(numbersOf(subject, rules), numbers, subject);
});

/** A notebook that is only remembered. */
function notebook(): Notebook {
  const notes = new Map<string, string>();
  return {
    get: (key) => notes.get(key),
    entries: () => [...notes],
    write: async (more) => {
      for (const [key, text] of Object.entries(more)) notes.set(key, text);
    },
    erase: async (keys) => {
      for (const key of keys) notes.delete(key);
    },
  };
}

t.test('what becomes of a mail', async (t) => {
  const config = {
    ...{ limit: 10, loose_subject: false, max_recipients: 1, strip_signature: false, allow_from: [] as string[] },
  } as unknown as Pop3Config;
  const mail: Mail = { from: 'a@example.com', subject: '+37060000001', text: 'hello', automatic: false };
  const book = notebook();
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
    ['no number', { subject: 'Hello' }, config, /no phone number/],
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
    ['a forged number', { subject: token.replace('0009', '0008') }, config, /no phone number/],
    [
      'a forged tag',
      { subject: token.replace(/.\]$/, (end) => (end === 'a]' ? 'b]' : 'a]')) },
      config,
      /no phone number/,
    ],
  ];
  for (const [what, changes, rules, wanted] of cases) {
    const decision = decide({ ...mail, ...changes }, rules, book);
    const said = decision.type === 'send' ? `${decision.numbers.join()} ${decision.text}` : decision.reason;
    t.match(said, wanted, what);
    t.equal(decision.type, typeof wanted === 'string' ? 'send' : 'ignore', what);
  }
});
