import fc from 'fast-check';
import t from 'tap';
import type { CgiRequest } from '../../src/modules/host/contract.ts';
import { notRunningAnswer, parametersOf } from '../../src/modules/post_get/cgi.ts';
import { dateWriter } from '../../src/modules/post_get/scripts.ts';
import { hostZone, parsePosixZone } from '../../src/system/time-zone.ts';
import { PostGetGateway } from './post-get-gateway.ts';

process.env['TZ'] = 'UTC';

const requestWith = (request: Partial<CgiRequest>): CgiRequest => ({
  ...{ script: 'sms_send', method: 'GET', query: '', contentType: '', body: '', remoteAddress: '' },
  ...request,
});
const parseForm = (query: string) => parametersOf(requestWith({ query }));

const DASHES = '------------------------------';
const TEXT = 'text/plain;charset=utf-8';

t.test('a form is read as libcgi reads it', async (t) => {
  const cases: readonly (readonly [encoded: string, parameters: Readonly<Record<string, string>>])[] = [
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2', { a: '1' }],
    ['a&b=&=c&&d=e=f', { a: '', b: '', d: 'e=f' }],
    ['a=b+c%20d%2Be', { a: 'b c d+e' }],
    ['%61%3d=%26', { 'a=': '&' }],
    ['a=%4&b=%zz&c=%&d=%%41', { a: '%4', b: '%zz', c: '%', d: '%A' }],
    ['a=%c3%A4%E2%82%AC', { a: 'ä€' }],
    ['a=\xc3\xa4', { a: 'ä' }],
    ['a=%E4%F6', { a: 'äö' }],
    ['a=%F0%9F%98%80', { a: '😀' }],
    ['a=%ED%A0%80', { a: 'í\xa0\x80' }],
    ['a=b;c=d', { a: 'b;c=d' }],
    ['__proto__=1&constructor=2', { ['__proto__']: '1', constructor: '2' }],
  ];
  for (const [encoded, parameters] of cases) {
    t.same([...parseForm(encoded)], Object.entries(parameters), encoded);
  }
  t.test('forms of URLSearchParams are read back', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'grapheme' })), (fields) => {
        const parameters = parseForm(new URLSearchParams(fields).toString());
        return Object.entries(fields).every(([key, value]) => parameters.get(key) === value);
      }),
    );
  });
  t.test('any octets are read', async () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => parseForm(Buffer.from(octets).toString('latin1')).size >= 0));
  });
});

t.test('the parameters of a POST', async (t) => {
  /** Undefined: the body has no parameters, so that nothing is sent that was not meant. */
  const transferEncodings: readonly (readonly [string, string, string | undefined])[] = [
    ['base64', Buffer.from('hello\nč €').toString('base64'), 'hello\nč €'],
    ['BASE64', `${'eHh4'.repeat(19)}\r\neHg`, 'x'.repeat(59)],
    ['base64', '', ''],
    ['base64', 'hello world!', undefined],
    ['base64', 'eHh4e', undefined],
    ['quoted-printable', 'one =C4=8D=\r\n, two=3D2 =\n!', 'one č, two=2 !'],
    ['quoted-printable', 'a=b', undefined],
    ['7bit', 'a=3D', 'a=3D'],
    ['"8bit"', 'a=3D', 'a=3D'],
    ['binary', 'aGk=', 'aGk='],
    ['x-uuencode', 'a', undefined],
    ['quoted-printable', `=${' '.repeat(50_000)}x`, undefined],
  ];
  const multipart = (boundary: string) => `multipart/form-data; boundary=${boundary}`;
  const part = (name: string, value: string) => `Content-Disposition: form-data; name=${name}\r\n\r\n${value}\r\n`;
  const cases: readonly (readonly [
    what: string,
    request: Partial<CgiRequest>,
    parameters: Readonly<Record<string, string>>,
  ])[] = [
    ['a form', { body: 'a=1&b=%C3%A4+c' }, { a: '1', b: 'ä c' }],
    ['what the query has too', { query: 'a=2&c=3', body: 'a=1&b=2' }, { a: '1', b: '2', c: '3' }],
    ['all of it in the query', { query: 'a=2&c=3' }, { a: '2', c: '3' }],
    ['CR LF at the end', { body: 'a=1&b=x\r\n' }, { a: '1', b: 'x' }],
    ['line ends at the end', { body: 'b=x\n\r\n\n' }, { b: 'x' }],
    ['those that are meant', { body: 'b=%0D%0A\r\n' }, { b: '\r\n' }],
    ['line ends in the middle', { body: 'a=x\r\ny&b=1' }, { a: 'x\r\ny', b: '1' }],
    ['line ends alone', { body: '\r\n' }, {}],
    ['a form under another name', { contentType: 'application/json', body: 'a=1' }, { a: '1' }],
    [
      'JSON',
      { contentType: 'application/json', body: '{"a":"1\\n","b":2,"c":true,"d":null,"e":{"f":1},"g":["x",7,[1]]}\r\n' },
      { a: '1\n', b: '2', c: 'true', g: 'x,7' },
    ],
    [
      'JSON as curl sends it',
      { contentType: 'application/x-www-form-urlencoded', body: ' {"a":"+ %41"}' },
      { a: '+ %41' },
    ],
    ['JSON in UTF-8', { body: Buffer.from('\ufeff{"a":"ä😀"}').toString('latin1') }, { a: 'ä😀' }],
    ['JSON in Latin-1', { body: '{"a":"\xe4"}' }, { a: 'ä' }],
    ['JSON names', { body: '{"__proto__":"1","constructor":"2"}' }, { ['__proto__']: '1', constructor: '2' }],
    ['JSON that breaks off', { query: 'b=1', body: '{"a":"1' }, { '{"a":"1': '', b: '1' }],
    [
      'multipart',
      {
        contentType: multipart('X-y.z'),
        body: `--X-y.z\r\n${part('"a"', '1')}--X-y.z\r\n${part('b', 'c+d%41&\xc3\xa4\r\n-- --X-y.zz\r\n')}--X-y.z--\r\n`,
      },
      { a: '1', b: 'c+d%41&ä\r\n-- --X-y.zz\r\n' },
    ],
    [
      'multipart with LF, a preamble, a file and an end',
      {
        contentType: 'Multipart/Form-Data; charset=utf-8; Boundary="a b(c"',
        body: 'hello\n--a b(c  \nContent-Type: text/plain\nContent-Disposition: form-data; filename="f"; name="t"\n\nx\ny\n--a b(c--\nrest&t=2',
      },
      { t: 'x\ny' },
    ],
    [
      'multipart with a line that only looks like the boundary',
      { contentType: multipart('b'), body: `--b\r\n${part('a', '1\r\n--bc\r\n--b x')}--b--` },
      { a: '1\r\n--bc\r\n--b x' },
    ],
    [
      'multipart that breaks off',
      { contentType: multipart('b'), query: 'c=1', body: `--b\r\n${part('a', 'half a text')}` },
      { c: '1' },
    ],
    ['multipart of nothing', { contentType: multipart('b'), body: '--b--\r\n' }, {}],
    ['a part without a name', { contentType: multipart('b'), body: '--b\r\n\r\nx\r\n--b--' }, {}],
    [
      'a file name that looks like a parameter',
      {
        contentType: multipart('b'),
        body: '--b\r\nContent-Type: text/plain; name="x"\r\nContent-Disposition: form-data; filename="n; name=x"; name="t"\r\n\r\ny\r\n--b--',
      },
      { t: 'y' },
    ],
    ...transferEncodings.map(
      ([encoding, content, value]) =>
        [
          `multipart with a part in ${encoding}`,
          {
            contentType: multipart('b'),
            body: `--b\r\n${part('a', '1')}--b\r\nContent-Transfer-Encoding: ${encoding}\r\n${part('t', content)}--b--`,
          },
          value === undefined ? {} : { a: '1', t: value },
        ] as const,
    ),
    ['multipart without a boundary', { contentType: 'multipart/form-data', body: 'a=1' }, { a: '1' }],
  ];
  for (const [what, request, parameters] of cases) {
    t.same([...parametersOf(requestWith({ method: 'POST', ...request }))], Object.entries(parameters), what);
  }
  t.same([...parametersOf(requestWith({ query: 'a=1', body: 'b=2' }))], [['a', '1']], 'a GET has no body');
  const full = (piece: string) => piece.repeat(65_536 / piece.length);
  for (const body of [
    full('\r\n'),
    `${full('\n')}x`,
    full('['),
    `{"a":${full('[')}`,
    full('a&'),
    full('\r\n--b\r\n\r\n'),
  ]) {
    t.ok(parametersOf(requestWith({ method: 'POST', contentType: multipart('b'), body })).size <= 1);
    t.ok(parametersOf(requestWith({ method: 'POST', body })).size <= 65_536);
  }
});

t.test('dates', async (t) => {
  const cases: readonly (readonly [time: number, zone: string, ctime: string, iso: string])[] = [
    [Date.UTC(2024, 9, 26, 19, 4, 11), 'UTC0', 'Sat Oct 26 19:04:11 2024', '2024-10-26 19:04:11'],
    [Date.UTC(2022, 11, 28, 17, 19, 31), 'UTC0', 'Wed Dec 28 17:19:31 2022', '2022-12-28 17:19:31'],
    [Date.UTC(2026, 0, 5, 0, 0, 9), 'UTC0', 'Mon Jan  5 00:00:09 2026', '2026-01-05 00:00:09'],
    [Date.UTC(2026, 0, 5, 23, 0, 9), 'EET-2EEST,M3.5.0/3,M10.5.0/4', 'Tue Jan  6 01:00:09 2026', '2026-01-06 01:00:09'],
    [Date.UTC(2026, 6, 5, 23, 0, 9), 'EET-2EEST,M3.5.0/3,M10.5.0/4', 'Mon Jul  6 02:00:09 2026', '2026-07-06 02:00:09'],
  ];
  for (const [time, zone, ctime, iso] of cases) {
    const posix = parsePosixZone(zone) ?? hostZone;
    t.same([dateWriter('ctime', posix)(time), dateWriter('iso', posix)(time)], [ctime, iso], `${ctime} ${zone}`);
  }
});

t.test('the inbox, byte for byte', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const date = 'Sat Oct 26 19:04:11 2024';
  t.equal(await gateway.text('sms_list'), '', 'empty');
  t.equal(await gateway.text('sms_total'), 'Used: 0\nTotal: 1000\n');
  t.equal(await gateway.text('sms_read', 'number=0'), 'no message\n');

  await gateway.receive('+4915112345678', 'Test ');
  await gateway.receive('Teltonika', 'zwei\nZeilen €', Date.UTC(2024, 9, 27, 1, 2, 3));
  const first = `Index: 0\nDate: ${date}\nSender: +4915112345678\nText: Test \nStatus: unread\n${DASHES}\n`;
  const second = `Index: 1\nDate: Sun Oct 27 01:02:03 2024\nSender: Teltonika\nText: zwei\nZeilen €\nStatus: unread\n${DASHES}\n`;
  t.same(await gateway.get('sms_list'), { status: 200, contentType: TEXT, body: first + second });
  t.equal(await gateway.text('sms_list'), first + second, 'listing marks nothing read');
  t.equal(await gateway.text('sms_total'), 'Used: 2\nTotal: 1000\n');

  const read = `Index: 0\nDate: ${date}\nSender: +4915112345678\nStatus: unread\nText: Test \n`;
  t.equal(await gateway.text('sms_read', 'number=0'), read, 'as it was');
  t.equal(await gateway.text('sms_read', 'number=+0'), read.replace('unread', 'read'), 'read by the first call');
  const firstRead = first.replace('unread', 'read');
  for (const [state, body] of [
    ['', firstRead + second],
    ['all', firstRead + second],
    ['ALL', firstRead + second],
    ['read', firstRead],
    ['Unread', second],
    ['new', second],
    ['stored', 'Unknown state argument\n'],
    ['constructor', 'Unknown state argument\n'],
  ] as const) {
    t.equal(await gateway.text('sms_list', `state=${state}`), body, `state=${state}`);
  }

  t.equal(await gateway.text('sms_delete', 'number=0'), 'OK\n');
  t.equal(await gateway.text('sms_list'), second);
  t.equal(await gateway.text('sms_delete', 'number=0'), 'OK\n', 'a repeated delete');
  t.equal(await gateway.text('sms_read', 'number=0'), 'no message\n');
  await gateway.receive('+37060000001', 'new');
  t.match(await gateway.text('sms_list'), /^Index: 1\n.*\nIndex: 2\n/s, 'an index is not used again');

  await gateway.configure({ date_format: 'iso' });
  t.match(await gateway.text('sms_list'), /^Index: 1\nDate: 2024-10-27 01:02:03\nSender: Teltonika\n/);
});

t.test('errors', async (t) => {
  const gateway = await PostGetGateway.open(t);
  await gateway.receive('+37060000001', 'x');
  const cases: readonly (readonly [script: string, query: string, body: string, strict: number])[] = [
    ['sms_read', '', 'out of range\n', 400],
    ['sms_read', 'number=', 'out of range\n', 400],
    ['sms_read', 'number=one', 'WRONG_NUMBER\n', 400],
    ['sms_read', 'number=-1', 'WRONG_NUMBER\n', 400],
    ['sms_read', 'number=1.0', 'WRONG_NUMBER\n', 400],
    ['sms_read', 'number=99999999999', 'WRONG_NUMBER\n', 400],
    ['sms_read', 'number=1', 'no message\n', 404],
    ['sms_delete', '', 'WRONG_NUMBER\n', 400],
    ['sms_delete', 'number=x', 'WRONG_NUMBER\n', 400],
    ['sms_delete', 'number=1', 'OK\n', 200],
    ['sms_list', 'state=x', 'Unknown state argument\n', 400],
    ['sms_send', '', '"number" or "group" parameter is required\n', 400],
    ['sms_send', 'text=x', '"number" or "group" parameter is required\n', 400],
    ['sms_send', 'number=0037060000001', '"text" parameter is required\n', 400],
    ['sms_send', 'number=0037060000001&text=', '"text" parameter is required\n', 400],
    ['sms_send', 'number=x&text=x', 'WRONG_NUMBER\n', 400],
    ['sms_send', 'number=0037060000001,0037060000002x&text=x', 'WRONG_NUMBER\n', 400],
    ['sms_send', 'number=123456789012345678901&text=x', 'WRONG_NUMBER\n', 400],
    ['sms_send', 'group=strangers&text=x', 'Group not found\n', 404],
    ['sms_send', 'group=nobody&text=x', 'Phone group is empty\n', 409],
    ['sms_send', `number=0037060000001&text=${'x'.repeat(255 * 153 + 1)}`, 'ERROR\n', 400],
    ['io_state', '', 'ERROR\n', 404],
  ];
  for (const [script, query, body] of cases) {
    t.same(
      await gateway.get(script, query),
      { status: 200, contentType: TEXT, body },
      `${script} ${query.slice(0, 60)}`,
    );
  }
  await gateway.configure({ strict_status: true });
  for (const [script, query, body, status] of cases) {
    t.same(
      await gateway.get(script, query),
      { status, contentType: TEXT, body },
      `strict ${script} ${query.slice(0, 60)}`,
    );
  }
  t.equal(gateway.modem.parts.length, 0, 'nothing was sent');
  t.equal(await gateway.text('sms_total'), 'Used: 1\nTotal: 1000\n', 'nor deleted');
});

t.test('methods', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const form = 'username=user1&password=user_pass';
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'get', '']) {
    t.equal((await gateway.cgi({ script: 'sms_total', method, query: form, body: form })).status, 405, method);
  }
  const total = { status: 200, contentType: TEXT, body: 'Used: 0\nTotal: 1000\n' };
  t.same(
    await gateway.cgi({ script: 'sms_total', method: 'POST', body: form }),
    total,
    'POST has its form in the body',
  );
  t.equal((await gateway.cgi({ script: 'sms_total', method: 'POST', query: form })).status, 200, 'or in the query');
  t.equal((await gateway.cgi({ script: 'sms_total', method: 'GET', body: form })).status, 401, 'GET in the query only');

  t.test('while it does not run', async (t) => {
    const request = {
      script: 'sms_list',
      method: 'GET',
      query: '',
      contentType: '',
      body: '',
      remoteAddress: '8.8.8.8',
    };
    const off = { enabled: false, strict_status: false };
    t.same(notRunningAnswer(request, off), { status: 200, contentType: TEXT, body: 'Disabled\n' });
    t.equal(notRunningAnswer(request, { enabled: false, strict_status: true }).status, 503);
    t.equal(
      notRunningAnswer(request, { enabled: true, strict_status: false }).body,
      'ERROR\n',
      'it starts, or could not',
    );
    t.equal(notRunningAnswer({ ...request, method: 'PUT' }, off).status, 405);
    t.match(JSON.parse(notRunningAnswer({ ...request, query: 'format=json' }, off).body), {
      error: { code: 'module_unavailable' },
    });
  });
});

t.test('text of strangers forges no line for clients that split at more than LF', async (t) => {
  const gateway = await PostGetGateway.open(t);
  await gateway.receive('+37060000666', 'a\u2028Status: read\u2029Sender: +1\u0085Index: 9\u000bDate: x');
  t.match(
    await gateway.text('sms_list'),
    /^Text: a\u2028 Status: read\u2029 Sender: \+1\u{FFFD}Index: 9\u{FFFD}Date: x$/mu,
  );
});

t.test('text of strangers cannot forge the layout', async (t) => {
  const gateway = await PostGetGateway.open(t);
  const forged = `hi\n${DASHES}\nIndex: 7\nDate: x\nSender: +1\nText: pay\nStatus: read\r\nend\rof\u001b[31m\0`;
  await gateway.receive('+37060000666', forged);
  const body = await gateway.text('sms_list');
  const text = `hi\n ${DASHES}\n Index: 7\n Date: x\n Sender: +1\n Text: pay\n Status: read\nend\nof\ufffd[31m\ufffd`;
  t.equal(
    body,
    `Index: 0\nDate: Sat Oct 26 19:04:11 2024\nSender: +37060000666\nText: ${text}\nStatus: unread\n${DASHES}\n`,
  );
  t.equal(body.split(/\n-{3,}\n?/).length, 2, 'one message for clients that split at dashes');
  t.match(await gateway.json('sms_list'), { messages: [{ text: forged }] }, 'JSON has it as it came');
  await gateway.receive('A\nB', 'x');
  t.match(await gateway.text('sms_list'), '\nSender: A B\nText: x\n');
});

t.test('JSON', async (t) => {
  const gateway = await PostGetGateway.open(t);
  t.same(await gateway.json('sms_list'), { messages: [], more: false });
  await gateway.receive('+37060000001', 'ä');
  const message = {
    ...{ id: 1, index: 0, box: 'inbox', modem: 'gsm0', number: '+37060000001', text: 'ä' },
    ...{ time: '2024-10-26T19:04:11.000Z', received: '2024-10-26T19:05:00.000Z' },
    ...{ state: 'unread', parts: 1, encoding: 'gsm7' },
  };
  t.same(await gateway.json('sms_list'), { messages: [message], more: false });
  t.same(await gateway.json('sms_read', 'number=0'), message);
  t.same(await gateway.json('sms_total'), { used: 1, total: 1000, unread: 0 });
  t.same(await gateway.json('sms_delete', 'number=0'), { deleted: true });
  t.same(await gateway.json('sms_delete', 'number=0'), { deleted: false });
  const { contentType, status } = await gateway.get('sms_read', 'format=json&number=0');
  t.same([contentType, status], ['application/json', 200]);
  for (const [script, query, code] of [
    ['sms_read', '', 'invalid_argument'],
    ['sms_read', 'number=x', 'invalid_number'],
    ['sms_read', 'number=0', 'message_not_found'],
    ['sms_send', 'group=x&text=x', 'group_not_found'],
  ] as const) {
    t.match(await gateway.json(script, query), { error: { code, message: /\w/ } }, code);
  }
});

t.test('a huge listing ends early', async (t) => {
  const gateway = await PostGetGateway.open(t);
  for (let i = 0; i < 18; i++) {
    await gateway.receive('+37060000001', String(i).padEnd(255 * 153, '\n---"'), Date.UTC(2024, 0, 1, 0, 0, i));
  }
  const body = await gateway.text('sms_list');
  for (const answer of [body, await gateway.text('sms_list', 'format=json')]) {
    const size = JSON.stringify(answer).length;
    t.ok(size > 700_000 && size < 1_010_000, `${size} characters in the answer to the shim`);
  }
  t.match(await gateway.json('sms_list'), { more: true });
  const listed = body.match(/^Index: \d+$/gm) ?? [];
  t.ok(listed.length > 10 && listed.length < 18);
  for (const line of listed) await gateway.text('sms_delete', `number=${line.slice(7)}`);
  t.match(await gateway.text('sms_list'), `Index: ${listed.length}\n`, 'the rest follows');
});
