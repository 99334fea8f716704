import type { OptionRow, Report, SectionConfig, SectionSchema } from './option.ts';
import { caFile, sslVerify, timeout } from './shared-rows.ts';

/** MQTT 5.0 4.7.1 and 4.7.3: no wildcards in the names of topics, no NUL. Names with `$` in front are the broker's. */
const topicRow = (usual: string, label: string, help: string) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: 200,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: topics hold none
    pattern: /^(?:-|[^\s+#$\u0000-\u001f\u007f][^+#\u0000-\u001f\u007f]*)$/,
    form: 'a topic without + and #, with ~ in front for the base topic, or - for none',
    default: usual,
    label,
    help,
  }) as const satisfies OptionRow;

export const mqtt = {
  name: 'mqtt',
  label: 'MQTT',
  help: 'Publishes messages and states to an MQTT broker, and takes messages to send from it.',
  options: {
    enabled: { type: 'boolean', default: false, label: 'Enable', help: 'Turns MQTT on or off.' },
    host: { type: 'host', needed: true, label: 'Broker', help: 'Host name or address of the MQTT broker.' },
    port: {
      type: 'port',
      min: 1,
      label: 'Broker port',
      help: 'TCP port of the broker. Empty: 8883 with TLS, else 1883.',
    },
    username: { type: 'string', maxLength: 256, label: 'User name', help: 'Account on the broker. Empty: no login.' },
    password: { type: 'string', maxLength: 256, secret: true, label: 'Password', help: 'Password of the account.' },
    tls: {
      type: 'boolean',
      default: false,
      label: 'Secure connection',
      help: 'Uses TLS. Off: plain, and the password is sent as it is.',
    },
    topic: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      // biome-ignore lint/suspicious/noControlCharactersInRegex: topics hold none
      pattern: /^[^\s+#$~\u0000-\u001f\u007f/](?:[^+#~\u0000-\u001f\u007f]*[^\s+#~\u0000-\u001f\u007f/])?$/,
      form: 'a topic without + # ~ and without / at its ends',
      default: 'sms_gateway',
      label: 'Base topic',
      help: 'What stands as ~ in front of the topics. Each gateway on one broker needs its own.',
    },
    discovery: {
      type: 'boolean',
      default: true,
      label: 'Home Assistant discovery',
      help: 'Makes the gateway appear in Home Assistant by itself. Off: it is removed there.',
    },
    notify: {
      type: 'list',
      of: { type: 'phone' },
      label: 'Recipients in Home Assistant',
      help: 'Phone numbers that get a notify entity each. Phone groups have theirs already.',
    },
    discovery_prefix: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      pattern: /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/,
      form: 'letters, digits, _ - and / between them',
      default: 'homeassistant',
      label: 'Discovery prefix',
      help: 'The prefix that Home Assistant listens to.',
    },
    ssl_verify: sslVerify,
    ca_file: caFile,
    tls_cert: {
      type: 'file',
      label: 'Client certificate',
      help: 'PEM file with the certificate that the broker knows the gateway by. Empty: none.',
    },
    tls_key: { type: 'file', label: 'Client key', help: 'PEM file with the private key of the client certificate.' },
    client_id: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      pattern: /^[!-~]+$/,
      form: 'printable ASCII without blanks',
      label: 'Client id',
      help: 'The name that the broker keeps the session under; no other client may use it. Empty: made from the serial number of the router, else from its host name.',
    },
    keepalive: {
      type: 'integer',
      min: 5,
      max: 3600,
      unit: 'seconds',
      default: 60,
      label: 'Keep-alive',
      help: 'Seconds of silence after which the broker is asked whether it is there.',
    },
    timeout,
    session_hours: {
      type: 'integer',
      min: 0,
      max: 720,
      unit: 'hours',
      default: 24,
      label: 'Keep requests for',
      help: 'Hours that the broker keeps requests while the gateway is away. A broker without MQTT 5 goes by its own rule. 0: not at all.',
    },
    qos: {
      type: 'integer',
      min: 0,
      max: 2,
      default: 1,
      label: 'QoS',
      help: '1: each publication and each request is repeated until the other side has it. 0: once, and what is lost is lost. 2: publications come exactly once over a connection that holds.',
    },
    retain: {
      type: 'boolean',
      default: true,
      label: 'Retain states',
      help: 'The broker keeps the last state of modems, queue and availability for those who come later.',
    },
    every_sms: {
      type: 'boolean',
      default: false,
      label: 'Publish SMS Utilities rules',
      help: 'On: messages that trigger a rule are published as well.',
    },
    topic_received: topicRow(
      '~/received',
      'Topic of received messages',
      'Where received messages go. -: not published.',
    ),
    topic_sent: topicRow('~/sent', 'Topic of sent messages', 'Where the states of sent messages go. -: not published.'),
    topic_modem: topicRow(
      '~/modem',
      'Topic of modems',
      'Where the state of each modem goes, with a slash and its name behind. -: not published.',
    ),
    topic_queue: topicRow('~/queue', 'Topic of the queue', 'Where the length of the queue goes. -: not published.'),
    topic_availability: topicRow(
      '~/availability',
      'Topic of availability',
      'Where "online" goes, and "offline" as last will. -: not published.',
    ),
    topic_send: topicRow(
      '~/send',
      'Topic of requests',
      'Where messages to send come from; with a slash and a number behind for plain text. -: none are taken.',
    ),
    topic_answer: topicRow(
      '~/send/answer',
      'Topic of answers',
      'Where requests are answered that name no response topic. -: those are not answered.',
    ),
  },
} as const satisfies SectionSchema;

/** The topics of a section, whole; undefined for those that are switched off. */
export function topicsOf(section: SectionConfig<typeof mqtt>) {
  const whole = (topic: string) => (topic === '-' ? undefined : topic.replace(/^~/, section.topic));
  return {
    received: whole(section.topic_received),
    sent: whole(section.topic_sent),
    modem: whole(section.topic_modem),
    queue: whole(section.topic_queue),
    availability: whole(section.topic_availability),
    send: whole(section.topic_send),
    answer: whole(section.topic_answer),
  } as const;
}

type Checked = { readonly mqtt: SectionConfig<typeof mqtt> };

const topicOptions = ['received', 'sent', 'modem', 'queue', 'availability', 'send', 'answer'] as const;

export function checkMqtt({ mqtt: section }: Checked, report: Report): void {
  if (!section.enabled) return;
  if (section.password !== undefined && section.username === undefined) {
    report.error(section, 'username', 'must be set, as the password is');
  }
  if ((section.tls_cert === undefined) !== (section.tls_key === undefined)) {
    const [missing, present] = section.tls_cert === undefined ? ['tls_cert', 'tls_key'] : ['tls_key', 'tls_cert'];
    report.error(section, missing as 'tls_cert', `must be set for ${present}`);
  }
  if (!section.tls && (section.ca_file !== undefined || section.tls_cert !== undefined)) {
    report.warning(section, 'tls', 'is off: the certificates have no effect');
  }
  checkTopics(section, report);
}

/** What the gateway publishes must not come back as a request. */
function checkTopics(section: Checked['mqtt'], report: Report): void {
  const topics = topicsOf(section);
  const seen = new Map<string, string>();
  for (const name of topicOptions) {
    const topic = topics[name];
    if (topic === undefined) continue;
    const other = seen.get(topic);
    if (other !== undefined) report.error(section, `topic_${name}`, `${topic} is topic_${other} already`);
    seen.set(topic, name);
    const below = topics.send !== undefined && topic.startsWith(`${topics.send}/`);
    if (below && name !== 'answer') report.error(section, `topic_${name}`, `${topic} lies below the topic of requests`);
  }
}
