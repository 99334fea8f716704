import t from 'tap';
import { isFromOtherSite, isOwnRequest, originFields, TrustedProxies } from '../../src/access/request-origin.ts';

const browser = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0';

t.test('which requests may go without a secret', async (t) => {
  const cases: readonly (readonly [headers: Record<string, string>, looks: boolean, changes: boolean])[] = [
    [{}, true, true],
    [{ host: '192.168.1.1', 'user-agent': 'curl/8.5.0' }, true, true],
    [{ host: 'gateway.example.org', 'user-agent': 'Wget/1.21' }, true, true],
    [{ host: '192.168.1.1', 'user-agent': browser }, true, false],
    [{ host: '192.168.1.1', 'user-agent': browser, 'sec-fetch-site': 'none' }, true, true],
    [{ host: '192.168.1.1', 'user-agent': browser, 'sec-fetch-site': 'same-origin' }, true, true],
    [{ host: '192.168.1.1', 'user-agent': browser, 'sec-fetch-site': 'same-site' }, false, false],
    [{ host: '192.168.1.1', 'user-agent': browser, 'sec-fetch-site': 'cross-site' }, false, false],
    [{ host: '192.168.1.1', 'sec-fetch-site': 'cross-site' }, false, false],
    [{ host: '192.168.1.1', origin: 'http://192.168.1.1' }, true, true],
    [{ host: '192.168.1.1:8080', origin: 'http://192.168.1.1:8080' }, true, true],
    [{ host: '192.168.1.1:8080', origin: 'http://192.168.1.1' }, false, false],
    [{ host: '192.168.1.1', origin: 'http://evil.example' }, false, false],
    [{ host: '192.168.1.1', origin: 'null' }, false, false],
    [{ host: '192.168.1.1', referer: 'http://evil.example/192.168.1.1' }, false, false],
    [{ host: '192.168.1.1', referer: 'http://192.168.1.1@evil.example/' }, false, false],
    [{ host: '192.168.1.1', referer: 'http://192.168.1.1/cgi-bin/luci/' }, true, true],
    [{ host: 'evil.example', origin: 'http://evil.example', 'user-agent': browser }, false, false],
    [{ host: 'evil.example', 'user-agent': browser }, false, false],
    [{ host: 'router', origin: 'http://router', 'user-agent': browser }, true, true],
    [{ host: 'OpenWrt.lan:80', origin: 'http://openwrt.lan:80', 'user-agent': browser }, true, true],
    [{ host: '[fd00::1]:8080', origin: 'http://[fd00::1]:8080', 'user-agent': browser }, true, true],
    [{ origin: 'http://192.168.1.1' }, false, false],
  ];
  for (const [headers, looks, changes] of cases) {
    const fields = originFields(headers);
    t.equal(isOwnRequest(fields, false), looks, `${JSON.stringify(headers)} may look`);
    t.equal(isOwnRequest(fields, true), changes, `${JSON.stringify(headers)} may change`);
  }
  t.equal(isFromOtherSite(originFields({ host: 'x', 'sec-fetch-site': 'none' })), false);
});

t.test('clients behind trusted proxies', async (t) => {
  const proxies = new TrustedProxies(['127.0.0.1', '10.0.0.0/8']);
  const cases: readonly (readonly [peer: string, forwarded: string | undefined, client: string | undefined])[] = [
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '192.168.1.1, 198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '192.168.1.1, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['127.0.0.1', '10.1.2.3', '10.1.2.3'],
    ['127.0.0.1', '198.51.100.1:1234', '198.51.100.1'],
    ['127.0.0.1', '[2001:db8::1]:1234', '2001:db8::1'],
    ['127.0.0.1', '2001:db8::1', '2001:db8::1'],
    ['127.0.0.1', 'unknown', '127.0.0.1'],
    ['127.0.0.1', 'unknown, 10.1.1.1', '10.1.1.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', Array(10_000).fill('10.0.0.1').join(','), '10.0.0.1'],
    ['nobody', '198.51.100.1', undefined],
  ];
  for (const [peer, forwarded, client] of cases) {
    t.equal(proxies.clientOf(peer, forwarded), client, `${peer} for ${forwarded?.slice(0, 60)}`);
  }
  t.equal(
    originFields({ forwarded: 'for=192.0.2.43, for="[2001:db8::17]:4711";proto=http' }).forwardedFor,
    '192.0.2.43, [2001:db8::17]:4711',
  );
  t.equal(originFields({ via: '1.1 squid' }).viaProxy, true);
  t.equal(originFields({ host: 'x' }).viaProxy, undefined);
});
