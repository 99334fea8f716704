import fc from 'fast-check';
import t from 'tap';
import { alertText } from '../../src/http/api/alerts.ts';
import { alertmanager, grafana } from './notifications.ts';

t.test('notifications become texts', async (t) => {
  t.equal(
    alertText(grafana),
    'FIRING: High memory usage: This alert was triggered for zone us-1\nFIRING: High CPU usage: The system has high CPU usage',
  );
  t.equal(
    alertText(alertmanager),
    'FIRING: InstanceDown: db2:9100 is down\nRESOLVED: InstanceDown db1:9100: down for 5 minutes',
    'what fires comes first',
  );
  const { alerts: _, ...rest } = grafana;
  t.equal(alertText({ ...rest, message: 'CPU' }), '[FIRING:2] (blue): CPU', 'an older form');
  t.equal(alertText({ alerts: [{}], title: 'T' }), 'FIRING: T');
  t.equal(alertText({ alerts: [{ labels: [], annotations: 7, status: 3 }] }), 'FIRING: alert');
});

t.test('what is too long is cut, and what is left out is counted', async (t) => {
  const of = (count: number, summary: string, truncatedAlerts = 0) => ({
    truncatedAlerts,
    alerts: Array.from({ length: count }, (_, n) => ({ labels: { alertname: `A${n}` }, annotations: { summary } })),
  });
  t.equal(alertText(of(9, 'disk full'), 70), 'FIRING: A0: disk full\nFIRING: A1: disk full\n+7 more');
  t.equal(alertText(of(2, 'disk full', 5)), 'FIRING: A0: disk full\nFIRING: A1: disk full\n+5 more');
  t.match(alertText(of(1, 'x'.repeat(2000)), 70), /^FIRING: A0: x{55}\.\.\.$/);
  t.match(alertText(of(3, 'x'.repeat(2000)), 70), /^FIRING: A0: x+\.\.\.\n\+2 more$/);
  t.notMatch(alertText(of(1, '😀'.repeat(100)), 71), /[\ud83d]\.\.\./u);
});

t.test('a body full of alerts costs little', async (t) => {
  const alerts = Array.from({ length: 80_000 }, () => ({}));
  t.match(alertText({ alerts }, 1530), /^(?:FIRING: alert\n)+\+\d+ more$/);
});

t.test('other bodies are refused', async (t) => {
  for (const body of [null, [], 'x', 7, {}, { alerts: [] }, { alerts: 'x' }, { title: '' }])
    t.throws(() => alertText(body), { code: 'invalid_argument', message: /wanted a notification/ });
});

t.test('any JSON is a text of the length, or refused', async (_t) => {
  const table = fc.dictionary(fc.constantFrom('alertname', 'instance', 'summary', 'description', 'x'), fc.jsonValue());
  const alert = fc.record({ status: fc.jsonValue(), labels: table, annotations: table }, { requiredKeys: [] });
  const body = fc.record(
    {
      alerts: fc.array(fc.oneof(alert, fc.jsonValue())),
      title: fc.jsonValue(),
      truncatedAlerts: fc.jsonValue(),
      status: fc.string(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(body, fc.integer({ min: 70, max: 500 }), (notification, length) => {
      let text: string;
      try {
        text = alertText(JSON.parse(JSON.stringify(notification)), length);
      } catch (error) {
        return (error as { code?: string }).code === 'invalid_argument';
      }
      return text.length > 0 && text.length <= length;
    }),
  );
});
