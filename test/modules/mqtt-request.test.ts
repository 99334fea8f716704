import t from 'tap';
import type { GatewayError } from '../../src/base/errors.ts';
import { readRequest } from '../../src/modules/mqtt/request.ts';

const around = { groups: [], hasModem: () => false };

const read = (payload: string, below?: string) => {
  try {
    const { numbers, message } = readRequest(Buffer.from(payload), below, around);
    return `${numbers.join()}: ${'text' in message.content ? message.content.text : 'data'}`;
  } catch (error) {
    return (error as GatewayError).code;
  }
};

t.test(
  'a number with blanks in front of the text is refused: its beginning is the number of somebody else',
  async (t) => {
    const written = [
      ...['+370 600 00001 plain text', '+37060 000001 text', '0037060 000001 text', '+1 (555) 123-4567 text'],
      ...[
        '(0171) 1234567 text',
        '00 370 60000001 text',
        '600 00001 text',
        '+370\t600 00001 text',
        '+370 \u2013 600 00001 text',
      ],
      ...['+370 \u0666\u0660\u0660 00001 text', '\u200e+370 600 00001 text', '+ 37060000001 text', '555-123 4567 text'],
    ];
    for (const payload of written) t.equal(read(payload), 'invalid_number', payload);
    try {
      readRequest(Buffer.from('+370 600 00001 plain text'), undefined, around);
      t.fail('it is refused');
    } catch (error) {
      t.match(error, { message: /^"\+370" in front of digits .* without them, or send JSON$/ });
    }
  },
);

t.test('a text that begins with digits goes to a number that is whole', async (t) => {
  t.equal(read('+37060000001 5 pumps'), '+37060000001: 5 pumps');
  t.equal(read('0037060000001 21.5 °C'), '+37060000001: 21.5 °C');
  t.equal(read('60000001 12:30 stopped'), '60000001: 12:30 stopped');
  t.equal(read('+298212345 -3 °C'), '+298212345: -3 °C');
  t.equal(read('1234 BALANCE 5'), '1234: BALANCE 5', 'and any other to a short one');
  t.equal(read('*100# 5 EUR'), '*100#: 5 EUR');
  t.equal(read('5 EUR', '1234'), '1234: 5 EUR', 'by the topic');
  t.equal(read('{"number":"1234","text":"5 EUR"}'), '1234: 5 EUR');
  t.equal(read('{"number":"+370 600 00001","text":"5 EUR"}'), '+37060000001: 5 EUR', 'the end of it is known');
});
