import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { parseHttpUrl } from '../../src/base/http-url.ts';
import { selfSigned } from '../support/certificate.ts';
import { newFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';
import { Receiver } from '../support/web-receiver.ts';
import { NAME, names, rigWith } from './http-forwarder.ts';

const run = promisify(execFile);

t.test('an address is read as people write it', async (t) => {
  const cases: readonly (readonly [text: string, url: string | undefined, credentials?: string])[] = [
    [' host/a\t', 'http://host/a'],
    ['\u00a0HTTPS://HOST:443/', 'https://host/'],
    ['host/a?b#c?d', 'http://host/a?b'],
    ['user:pass@host/x', 'http://host/x', 'user:pass'],
    ['http://user@host', 'http://host/', 'user:'],
    ['http://:pass@host', 'http://host/', ':pass'],
    ['http://u%40x:p%3A%2F%23%25@host', 'http://host/', 'u@x:p:/#%'],
    ['http://u@x:p@q@host', 'http://host/', 'u@x:p@q'],
    ['http://jürgen:grün@host', 'http://host/', 'jürgen:grün'],
    ['http://u:100%@host', 'http://host/', 'u:100%'],
    ['müller.example/grüße?ä=ö', 'http://xn--mller-kva.example/gr%C3%BC%C3%9Fe?%C3%A4=%C3%B6'],
    ['ПРИМЕР.example', 'http://xn--e1afmkfd.example/'],
    ['host/a%20b?c=%e4', 'http://host/a%20b?c=%e4'],
    ['a b', undefined],
    ['host/a\nb', undefined],
    ['host/a\0b', undefined],
    ['http://user:pass@', undefined],
    [`host/${'x'.repeat(2000)}`, undefined],
    ['host/\udce4', undefined],
  ];
  for (const [text, url, credentials] of cases) {
    const found = parseHttpUrl(text);
    t.same([found?.url.href, found?.credentials?.toString()], [url, credentials], JSON.stringify(text.slice(0, 40)));
  }
  t.equal(parseHttpUrl('http://host:81/a', true)?.url.href, 'https://host:81/a');
});

t.test('it asks for what curl asks for', { skip: missingPrograms(['curl'], 'curl') }, async (t) => {
  const server = await Receiver.open(t);
  const at = `127.0.0.1:${server.port}`;
  for (const url of [
    `http://${at}`,
    `${at}/a/b.php?x=1&y=%20z#fragment`,
    `http://${at}?x=1`,
    `http://user:pass@${at}/`,
    `user@${at}/a`,
    `http://us%40er:p%3Ass%25@${at}/a`,
    `http://j%C3%BCrgen:gr%C3%BCn@${at}/a`,
  ]) {
    await run('curl', ['-s', '--noproxy', '*', url]);
    const rig = await rigWith(t, { url });
    await rig.receive('+370000000000', 'Hello!');
    await rig.handled(NAME);
    const [curl, ours] = server.seen.splice(0).map(({ url: target, headers }) => [target, headers.authorization]);
    t.same(ours, curl, url);
  }
});

t.test('user, password and headers', async (t) => {
  const server = await Receiver.open(t);
  const other = await Receiver.open(t, { tls: selfSigned(newFolder(t)) });
  const url = `http://anna:geh%65im@127.0.0.1:${server.port}/old`;
  const more =
    "\tlist header 'X-Api-Key: s3cret: yes'\n\tlist header 'user-agent:alarm'\n\tlist header 'X-Ort: Jõgeva'\n";
  const rig = await rigWith(t, { url, method: 'post', ...names }, more);
  const send = async () => {
    await rig.receive('+370000000000', 'Hello!');
    await rig.handled(NAME);
  };
  const authorization = `Basic ${Buffer.from('anna:geheim').toString('base64')}`;
  const secret = { authorization, 'x-api-key': 's3cret: yes', 'user-agent': 'alarm' };
  await send();
  t.match(server.seen.at(-1)?.headers, secret);
  t.equal(Buffer.from(String(server.seen[0]?.headers['x-ort']), 'latin1').toString(), 'Jõgeva');

  server.answer = ({ url: target }, response) =>
    (target === '/old' ? response.writeHead(307, { Location: '/new' }) : response).end();
  await send();
  t.match(server.seen.at(-1), { url: '/new', headers: secret }, 'they go along on the same server');
  server.answer = ({ url: target }, response) =>
    (target === '/old'
      ? response.writeHead(303, { Location: `http://eva:x@127.0.0.1:${server.port}/n` })
      : response
    ).end();
  await send();
  t.match(server.seen.at(-1)?.headers, { authorization: `Basic ${Buffer.from('eva:x').toString('base64')}` });
  t.notOk(server.seen.at(-1)?.headers['x-api-key'], 'a redirect with a login of its own replaces them');

  server.answer = (_, response) => response.writeHead(307, { Location: `https://127.0.0.1:${other.port}/` }).end();
  await send();
  t.match(other.seen, [{ method: 'POST', body: 'Sender=%2B370000000000&Text=Hello%21' }]);
  t.notOk(other.seen[0]?.headers.authorization);
  t.notOk(other.seen[0]?.headers['x-api-key'], 'to nobody else');

  server.answer = (_, response) => response.writeHead(401).end();
  await send();
  const { signal } = new AbortController();
  const failure = await rig.modules.test(NAME, signal).catch(String);
  const shown = JSON.stringify([rig.log, failure, rig.modules.list()]);
  t.match(shown, /answered 401/);
  t.notMatch(shown, /anna|geheim|geh%65im|s3cret/i, 'none of it shows');
});
