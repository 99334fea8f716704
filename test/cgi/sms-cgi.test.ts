import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { testFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';
import { buildShim, runShim, ScriptedGateway, type ShimResult, type ShimRun } from './shim.ts';

const skip = missingPrograms(['cc'], 'gcc libc6-dev');

t.test('the shim', { skip }, async (t) => {
  const folder = testFolder(t);
  const socket = join(folder, 's');
  const shim = join(folder, 'sms_list');
  buildShim(shim, '-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all');
  const gateway = new ScriptedGateway();
  await gateway.listen(socket);
  t.teardown(() => gateway.close());

  const run = async (given: ShimRun): Promise<ShimResult> => {
    const result = await runShim(shim, { ...given, env: { SMS_GATEWAY_SOCKET: socket, ...given.env } });
    t.equal(result.stderr, '', 'nothing on stderr');
    return result;
  };
  const answering = (text: string | Buffer) => {
    gateway.respond = (peer) => void peer.end(text);
  };
  const ok = '{"jsonrpc":"2.0","id":1,"result":{"status":200,"content_type":"text/plain","body":"OK\\n"}}\n';

  /** What the shim says when it has no answer of the gateway. */
  const refused = (status: string, length = 6) =>
    `Status: ${status}\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: ${length}\r\n` +
    'Cache-Control: no-store\r\nX-Content-Type-Options: nosniff';

  t.test('calls sms_gateway.cgi with the request as it came', async (t) => {
    const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const environment = {
      REQUEST_METHOD: 'POST',
      QUERY_STRING: 'a=%41&b="q"\\\\&c=ä\t',
      CONTENT_TYPE: 'application/x-www-form-urlencoded',
      CONTENT_LENGTH: '256',
      REMOTE_ADDR: '192.168.1.7',
      SCRIPT_NAME: '/cgi-bin/sms_send',
      HTTP_COOKIE: 'secret',
    };
    answering(ok);
    await run({ env: environment, stdin: octets });
    const call = gateway.calls.pop() ?? Buffer.alloc(0);
    t.ok(
      call.every((octet) => (octet >= 0x20 && octet < 0x7f) || octet === 0x0a),
      'one line of ASCII',
    );
    t.equal(call.indexOf(0x0a), call.length - 1);
    const request = {
      script: 'sms_send',
      method: 'POST',
      query: Buffer.from(environment.QUERY_STRING).toString('latin1'),
      content_type: environment.CONTENT_TYPE,
      remote_addr: '192.168.1.7',
      body: octets.toString('latin1'),
    };
    t.same(JSON.parse(call.toString()), {
      jsonrpc: '2.0',
      id: 1,
      method: 'call',
      params: ['sms_gateway.cgi', 'request', request],
    });
  });

  t.test('finds its name, and bears an empty environment', async (t) => {
    answering(ok);
    const cases: readonly (readonly [ShimRun, string, string])[] = [
      [{ env: { SCRIPT_NAME: '/cgi-bin/sms_total', REQUEST_METHOD: 'GET' } }, 'sms_total', 'GET'],
      [{ env: { SCRIPT_NAME: 'sms_read', REQUEST_METHOD: 'PUT' } }, 'sms_read', 'PUT'],
      [{ env: {}, argv0: '/www/cgi-bin/sms_delete' }, 'sms_delete', ''],
      [{ env: { SCRIPT_NAME: '' }, argv0: 'sms_list' }, 'sms_list', ''],
      [{ env: { SCRIPT_NAME: '/' } }, '', ''],
    ];
    for (const [given, script, method] of cases) {
      await run(given);
      t.match(JSON.parse(String(gateway.calls.pop())).params[2], { script, method, query: '', remote_addr: '' });
    }
  });

  t.test('serves its own path and nothing below it', async (t) => {
    for (const method of ['GET', 'POST', 'HEAD']) {
      const { head, body } = await run({ env: { REQUEST_METHOD: method, PATH_INFO: '/' } });
      t.same([head, body], [refused('404 Not Found', 10), method === 'HEAD' ? '' : 'Not Found\n'], method);
    }
    t.equal(gateway.calls.length, 0);
  });

  t.test('reads a body only where there is one', async (t) => {
    const post = { REQUEST_METHOD: 'POST' };
    const full = Buffer.alloc(65_536, 0xff);
    const cases: readonly (readonly [name: string, ShimRun, string | RegExp])[] = [
      ['none for a GET', { env: { REQUEST_METHOD: 'GET', CONTENT_LENGTH: '3' }, stdin: 'a=b' }, ''],
      ['no more than announced', { env: { ...post, CONTENT_LENGTH: '3' }, stdin: 'a=bcd' }, 'a=b'],
      ['announced as empty', { env: { ...post, CONTENT_LENGTH: '0' }, stdin: 'a=b' }, ''],
      ['none at all, and no length', { env: post }, ''],
      ['a full one', { env: { ...post, CONTENT_LENGTH: '65536' }, stdin: full }, full.toString('latin1')],
    ];
    answering(ok);
    for (const [name, given, body] of cases) {
      t.equal((await run(given)).body, 'OK\n', name);
      t.equal(JSON.parse(String(gateway.calls.pop())).params[2].body ?? '', body, name);
    }
    const refusals: readonly (readonly [name: string, ShimRun, string])[] = [
      ['longer', { env: { ...post, CONTENT_LENGTH: '65537' }, stdin: Buffer.alloc(65_537) }, '413 Content Too Large'],
      ['without a length', { env: post, stdin: 'text=half' }, '411 Length Required'],
      ['longer, without a length', { env: post, stdin: Buffer.alloc(200_000) }, '411 Length Required'],
      ['a length that is none', { env: { ...post, CONTENT_LENGTH: '3x' }, stdin: 'a=b' }, '400 Bad Request'],
      [
        'absurd length',
        { env: { ...post, CONTENT_LENGTH: '-1' }, stdin: Buffer.alloc(70_000) },
        '413 Content Too Large',
      ],
      ['broken off', { env: { ...post, CONTENT_LENGTH: '10' }, stdin: 'text=half' }, '400 Bad Request'],
    ];
    for (const [name, given, status] of refusals) {
      const { head, body } = await run(given);
      t.same([head, body], [refused(status), 'ERROR\n'], name);
    }
    t.equal(gateway.calls.length, 0, 'the gateway hears nothing of those');
  });

  t.test('prints the answer', async (t) => {
    const result = (fields: string) => `{"jsonrpc":"2.0","id":1,"result":{${fields}}}\n`;
    const cases: readonly (readonly [name: string, answer: string | Buffer, body: string])[] = [
      ['plain', ok, 'OK\n'],
      ['any order', '{"result":{"body":"x","status":200,"content_type":"text/plain"},"id":1,"jsonrpc":"2.0"}\n', 'x'],
      [
        'blanks and further members',
        ' { "id" : 1 , "x" : [ {"body":"no"}, [ ] , null , -1.5e3 ] , "result" : { "x" : { "status" : 9 , "body":"no" }' +
          ' , "status" : 200 , "y":[{"body":"no"}], "content_type" : "text/plain" , "body" : "yes" } , "body" : "no" }\r\n',
        'yes',
      ],
      ['no body', result('"status":200,"content_type":"text/plain","body":""'), ''],
      [
        'escapes',
        result('"status":200,"content_type":"text/plain","body":"\\"\\\\\\/\\b\\f\\n\\r\\t"'),
        '"\\/\b\f\n\r\t',
      ],
      ['NUL and DEL', result('"status":200,"content_type":"text/plain","body":"a\\u0000b\\u007f"'), 'a\0b\x7f'],
      ['two octets', result('"status":200,"content_type":"text/plain","body":"\\u00e4\\u07FF"'), 'ä߿'],
      ['three octets', result('"status":200,"content_type":"text/plain","body":"\\u0800\\u20ac\\uFFFF"'), 'ࠀ€\uffff'],
      [
        'a pair',
        result('"status":200,"content_type":"text/plain","body":"\\ud83d\\ude00\\uDBFF\\uDFFF"'),
        '😀\u{10ffff}',
      ],
      [
        'lone surrogates',
        result('"status":200,"content_type":"text/plain","body":"\\ud83d \\ude00\\ud83d\\u0041\\ud83d\\n\\ud83d"'),
        '\ufffd \ufffd\ufffdA\ufffd\n\ufffd',
      ],
      ['UTF-8 as it is', result('"status":200,"content_type":"text/plain","body":"ä€😀"'), 'ä€😀'],
      ['a second line', `${ok}{"result":{"status":500,"body":"no"}}\n`, 'OK\n'],
      [
        'a megabyte',
        result(`"status":200,"content_type":"text/plain","body":"${'\\u00e4'.repeat(500_000)}"`),
        'ä'.repeat(500_000),
      ],
    ];
    for (const [name, answer, body] of cases) {
      answering(answer);
      const printed = await run({ env: { REQUEST_METHOD: 'GET' } });
      const octets = Buffer.from(body).toString('latin1');
      t.ok(printed.body === octets, name);
      t.equal(
        printed.head,
        `Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${octets.length}\r\n` +
          'Cache-Control: no-store\r\nX-Content-Type-Options: nosniff',
        `${name}, header`,
      );
      t.equal(printed.code, 0);
    }
  });

  t.test('prints any status with a reason', async (t) => {
    for (const [status, line] of [
      [401, 'Status: 401 Unauthorized\r\n'],
      [404, 'Status: 404 Not Found\r\n'],
      [503, 'Status: 503 Service Unavailable\r\n'],
      [599, 'Status: 599 Other\r\n'],
    ] as const) {
      answering(`{"result":{"status":${status},"content_type":"text/plain","body":"x\\n"}}\n`);
      const { head, body } = await run({});
      t.ok(head.startsWith(line), line.trim());
      t.equal(body, 'x\n');
    }
    answering('{"result":{"status":405,"content_type":"text/plain","body":"x\\n"}}\n');
    t.match((await run({})).head, /\r\nAllow: GET, POST\r\n/);
    const head = await run({ env: { REQUEST_METHOD: 'HEAD' } });
    t.match(head.head, /^Status: 405 .*\r\nContent-Length: 2\r\n/s);
    t.equal(head.body, '', 'no body for HEAD');
  });

  t.test('takes an answer in pieces', async (t) => {
    gateway.respond = (peer: Socket) => {
      peer.setNoDelay(true);
      const send = (at: number) => {
        if (at >= ok.length) return void peer.end();
        peer.write(ok.slice(at, at + 7), () => setImmediate(send, at + 7));
      };
      send(0);
    };
    t.equal((await run({})).body, 'OK\n');
  });

  t.test('says ERROR when the answer is none', async (t) => {
    const fields = '"status":200,"content_type":"text/plain","body":"x"';
    const bad: readonly (string | Buffer)[] = [
      '',
      '\n',
      'junk\n',
      ok.trimEnd(),
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32050,"message":"secret","data":{"status":200,"body":"x"}}}\n',
      '{"result":null}\n',
      '{"result":{}}\n',
      '{"result":{"status":200,"content_type":"text/plain"}}\n',
      '{"result":{"status":200,"body":"x"}}\n',
      '{"result":{"content_type":"text/plain","body":"x"}}\n',
      `{"result":{${fields.replace('200', '99')}}}\n`,
      `{"result":{${fields.replace('200', '600')}}}\n`,
      `{"result":{${fields.replace('200', '-200')}}}\n`,
      `{"result":{${fields.replace('200', '99999999999999999999')}}}\n`,
      `{"result":{${fields.replace('200', '"200"')}}}\n`,
      `{"result":{${fields.replace('text/plain', 'text/plain\\r\\nSet-Cookie: x')}}}\n`,
      `{"result":{${fields.replace('"x"', '"x')}}}\n`,
      `{"result":{${fields.replace('"x"', '"\\x"')}}}\n`,
      `{"result":{${fields.replace('"x"', '"\\u12g4"')}}}\n`,
      `{"result":{${fields.replace('"x"', '"\\')}\n`,
      `{"result":{${fields.replace('"x"', '"\\u')}\n`,
      `{"other":{${fields}}}\n`,
      `{"a":{"result":{${fields}}}}\n`,
      `[{"result":{${fields}}}]\n`,
      `}{"result":{${fields}}}\n`,
      `\0${ok}`,
      `${'['.repeat(100_000)}\n`,
      Buffer.alloc(9_000_000, 0x20),
    ];
    for (const answer of bad) {
      answering(answer);
      const { head, body } = await run({ env: { REQUEST_METHOD: 'GET' } });
      t.same(
        [head, body],
        [refused('503 Service Unavailable'), 'ERROR\n'],
        JSON.stringify(String(answer).slice(0, 80)),
      );
    }
    gateway.respond = (peer) => void peer.destroy();
    t.equal((await run({})).body, 'ERROR\n', 'broken off');
    for (const path of [join(folder, 'absent'), folder, `/${'x'.repeat(200)}`]) {
      const { head, body } = await run({ env: { SMS_GATEWAY_SOCKET: path } });
      t.same([head, body], [refused('503 Service Unavailable'), 'ERROR\n'], path.slice(0, 40));
    }
  });

  t.test('takes no harm from anything', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...'{}[]:,"\\ \0'.split(''),
        '"result":',
        '{"status":200',
        ',"body":"',
        ',"content_type":"',
        '\\u',
      ),
      fc.constantFrom('\\ud83d', '\\ude00', '\\"', '-1', '1e9', 'null', 'ä', '\xff', '0', 'f'),
    );
    const answers = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => `${pieces.join('')}\n`),
      fc
        .tuple(fc.nat(ok.length - 2), fc.nat(8), piece)
        .map(([at, gone, put]) => ok.slice(0, at) + put + ok.slice(at + gone)),
      fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)),
    );
    const text = fc.string({ unit: 'binary', maxLength: 50 }).map((value) => value.replaceAll('\0', ''));
    const environment = fc.record({
      REQUEST_METHOD: fc.constantFrom('GET', 'POST', 'HEAD', ''),
      QUERY_STRING: text,
      SCRIPT_NAME: text,
      REMOTE_ADDR: text,
      CONTENT_LENGTH: fc.oneof(text, fc.nat(100).map(String)),
    });
    await fc.assert(
      fc.asyncProperty(answers, environment, fc.string(), async (answer, env, stdin) => {
        answering(answer);
        const { head, stderr, code } = await runShim(shim, { env: { ...env, SMS_GATEWAY_SOCKET: socket }, stdin });
        return stderr === '' && code === 0 && /^Status: \d{3} \w/.test(head);
      }),
      { numRuns: 150 },
    );
  });

  t.test('asks again for a while where there was no place for it', async (t) => {
    const noPlace =
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32011,"message":"full","data":{"code":"too_many","ubus":6,"retry_after":0.8}}}\n';
    const env = { REQUEST_METHOD: 'POST', SMS_GATEWAY_SOCKET: join(folder, 'full'), CONTENT_LENGTH: '3000' };
    for (const [answers, wanted, connections] of [
      [[noPlace, noPlace, ok], 'OK\n', 3],
      [[noPlace], 'ERROR\n', 4],
      [[noPlace.replace('0.8', '4')], 'ERROR\n', 1],
      [[noPlace.replace('null', '1')], 'ERROR\n', 1],
      [[noPlace.replace(',"retry_after":0.8', '')], 'ERROR\n', 1],
      [[noPlace.replace('too_many', 'stopping')], 'ERROR\n', 1],
      [[noPlace.replace('0.8', '1e999')], 'ERROR\n', 1],
      [[noPlace.replace('0.8', '-1')], 'ERROR\n', 1],
    ] as const) {
      let count = 0;
      const full = createServer((peer) => {
        const answer = answers[Math.min(count++, answers.length - 1)] ?? '';
        peer.on('error', () => {});
        // Whom it refuses it may close before it has read anything.
        if (answer === ok) peer.resume().end(answer);
        else peer.end(answer, () => peer.destroy());
      });
      await once(full.listen(env.SMS_GATEWAY_SOCKET), 'listening');
      t.equal((await run({ env, stdin: Buffer.alloc(3000, 'x') })).body, wanted, `${answers[0]}`);
      t.equal(count, connections);
      await new Promise((resolve) => full.close(resolve));
    }
  });

  t.test('gives up in time', async (t) => {
    const hasty = join(folder, 'hasty');
    buildShim(hasty, '-Os', '-DDEADLINE=1');
    gateway.respond = () => undefined;
    const get = await runShim(hasty, { env: { SMS_GATEWAY_SOCKET: socket } });
    t.same([get.head, get.body], [refused('504 Gateway Timeout', 8), 'TIMEOUT\n']);
    const head = await runShim(hasty, { env: { SMS_GATEWAY_SOCKET: socket, REQUEST_METHOD: 'HEAD' } });
    t.same([head.head, head.body], [refused('504 Gateway Timeout', 8), '']);
    // The web server never ends the body.
    const env = { SMS_GATEWAY_SOCKET: socket, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '9' };
    t.equal((await runShim(hasty, { env, stdin: 'open' })).body, 'TIMEOUT\n');
  });

  t.test('has a socket of its own choice without the variable', async (t) => {
    const fixed = join(folder, 'fixed');
    buildShim(fixed, '-Os', `-DSMS_GATEWAY_SOCKET="${socket}"`);
    answering(ok);
    t.equal((await runShim(fixed, {})).body, 'OK\n');
  });
});
