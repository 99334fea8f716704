import type { ScalarRow } from '../../../src/config/schema/option.ts';

/** Values at the edges of a row, and beyond them. */
export function samples(row: ScalarRow): readonly string[] {
  switch (row.type) {
    case 'integer':
      return [
        String(row.min),
        String(row.max),
        String(row.min - 1),
        String(row.max + 1),
        '1.5',
        'x',
        '-1',
        ...(row.word === undefined ? [] : [row.word]),
      ];
    case 'port':
      return ['0', '1', '65535', '65536', 'x', '80x'];
    case 'string': {
      const longest = row.maxLength ?? 20;
      const shortest = row.minLength ?? 0;
      return [
        'a'.repeat(longest),
        'a'.repeat(longest + 1),
        '€'.repeat(longest),
        '😀'.repeat(longest),
        '😀'.repeat(longest + 1),
        ...(shortest > 1 ? ['a'.repeat(shortest), 'a'.repeat(shortest - 1)] : []),
        'two words',
        '+370',
        '12',
        '1234',
        '12345678',
        '123456789',
        'AT+CSQ',
        'ATé',
        'auto',
        'sim',
        '/dev/ttyUSB2',
        'ttyUSB2',
        'tcp://10.0.0.1:3333',
        'tcp://10.0.0.1',
        '0660',
        '0600',
        'system.main.hostname',
        'network.lan.ipaddr',
        '00:11:22:33:44:55',
        '+37060000001',
        '0999',
        '200',
        '200-299',
        '600',
        'a@b.example',
        '@b.example',
        'a@b@c',
        'X-Api-Key: abc',
        'X-Api-Key:',
        'X Api: a',
        'X-A: ü',
        'text/plain',
        'system.info',
        'system info',
        'é',
        `0123abcd:${'cd'.repeat(32)}`,
        `0123abcd:${'CD'.repeat(32)}`,
        'pop3 60 300 1000',
        'pop3 60 300',
        'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
        'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1',
      ];
    }
    case 'phone':
      return ['+37060000001', '0037060000001', '+370 600 00001', '112', '*100#', 'x', '+', 'Bank', '37060000001x'];
    case 'host':
      return [
        'mail.example.com',
        '192.0.2.1',
        '2001:db8::1',
        'a b',
        '192.0.2',
        '192.0.2.256',
        'host:1',
        'a_b',
        '-',
        'x..y',
      ];
    case 'network':
      return ['192.0.2.1', '192.0.2.0/24', '2001:db8::/32', 'host', '192.0.2.0/33', '192.0.2'];
    case 'url':
      return [
        '192.168.1.1:81/sms?key=1',
        'http://a.example/',
        'https://u:p@a.example/x',
        'ftp://a.example',
        'a b',
        'http://',
      ];
    case 'email':
      return ['a@b.example', 'A <a@b.example>', 'a@b@c.example', 'a', 'a b@c.example', '@b.example', 'a@'];
    case 'file':
      return ['/etc/ssl/ca.pem', 'ca.pem', '/'];
    case 'cron':
      return [
        '30 7 * * 1-5',
        '*/5 * * * *',
        '60 7 * * *',
        '* * * *',
        '0 0 * * 7',
        '0 0 * * 8',
        '5-1 * * * *',
        '@daily',
        '*/0 * * * *',
      ];
    case 'date':
      return [
        '2026-12-31 08:00',
        '2026-02-30 08:00',
        '2028-02-29 23:59',
        '2026-12-31 24:00',
        '2026-12-31',
        '1999-01-01 00:00',
      ];
    default:
      return [];
  }
}
