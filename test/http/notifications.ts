/* What monitoring programs send, as their documentation shows it. */

/** As Grafana 11 sends it, from its documentation of the webhook contact point. */
export const grafana = {
  receiver: 'My Super Webhook',
  status: 'firing',
  orgId: 1,
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'High memory usage', team: 'blue', zone: 'us-1' },
      annotations: {
        description: 'The system has high memory usage',
        summary: 'This alert was triggered for zone us-1',
      },
      startsAt: '2021-10-12T09:51:03.157076+02:00',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'https://play.grafana.org/alerting/1afz29v7z/edit',
      fingerprint: 'c6eadffa33fcdf37',
      values: { B: 44.23943737541908, C: 1 },
    },
    {
      status: 'firing',
      labels: { alertname: 'High CPU usage', team: 'blue', zone: 'eu-1' },
      annotations: { description: 'The system has high CPU usage' },
      startsAt: '2021-10-12T09:56:03.157076+02:00',
      endsAt: '0001-01-01T00:00:00Z',
      fingerprint: 'd1rdpdv7k',
    },
  ],
  groupLabels: {},
  commonLabels: { team: 'blue' },
  commonAnnotations: {},
  externalURL: 'https://play.grafana.org/',
  version: '1',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  title: '[FIRING:2]  (blue)',
  state: 'alerting',
  message: '**Firing**\n\nLabels:\n - alertname = T2',
};

/** As Alertmanager sends it, version 4. */
export const alertmanager = {
  version: '4',
  groupKey: '{}/{}:{alertname="InstanceDown"}',
  truncatedAlerts: 0,
  status: 'resolved',
  receiver: 'sms',
  groupLabels: { alertname: 'InstanceDown' },
  commonLabels: { alertname: 'InstanceDown', job: 'node', severity: 'page' },
  commonAnnotations: {},
  externalURL: 'http://prometheus:9093',
  alerts: [
    {
      status: 'resolved',
      labels: { alertname: 'InstanceDown', instance: 'db1:9100', job: 'node' },
      annotations: { summary: 'down for 5 minutes' },
      startsAt: '2026-01-31T12:00:00.000Z',
      endsAt: '2026-01-31T12:05:00.000Z',
    },
    {
      status: 'firing',
      labels: { alertname: 'InstanceDown', instance: 'db2:9100', job: 'node' },
      annotations: { summary: 'db2:9100\n is   down' },
    },
  ],
};
