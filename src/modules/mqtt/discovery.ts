/**
 * What makes Home Assistant show the gateway: one device with its entities, by the device discovery of its MQTT
 * integration (since 2024.12). https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
 */
import { createHash } from 'node:crypto';
import { defined, type JsonObject } from '../../base/json.ts';
import { version } from '../../base/version.ts';
import type { Notebook } from '../../store/notes.ts';
import type { Broker, Qos } from './broker.ts';
import { modemTopic } from './states.ts';

export interface DiscoveryFacts {
  readonly prefix: string;
  /** The client id: the same gateway, the same device. */
  readonly clientId: string;
  /** Host name of the router. */
  readonly host?: string;
  readonly serial?: string;
  readonly modems: readonly string[];
  readonly groups: readonly string[];
  /** Numbers that get a notify entity. */
  readonly numbers: readonly string[];
  readonly qos: Qos;
  readonly topics: {
    readonly received: string | undefined;
    readonly modem: string | undefined;
    readonly queue: string | undefined;
    readonly availability: string | undefined;
    readonly send: string | undefined;
  };
}

/** Under this key stands where Home Assistant was given the device, and a digest of its entities. */
const DISCOVERY = 'discovery';

/** Gives Home Assistant the device, or takes it back when `isOn` is false. What it had of another form is taken back first. */
export async function publishDiscovery(
  broker: Broker,
  book: Notebook,
  facts: DiscoveryFacts,
  isOn: boolean,
): Promise<void> {
  const { prefix, clientId, qos } = facts;
  const [topicBefore = '', entitiesBefore = ''] = book.get(DISCOVERY)?.split('\n') ?? [];
  const topic = discoveryTopic(prefix, clientId);
  const payload = discoveryPayload(facts);
  const entities = digestOf(Object.keys(payload['components'] as JsonObject));
  const stays = isOn && topic === topicBefore && entities === entitiesBefore;
  if (topicBefore !== '' && !stays) await broker.publish({ topic: topicBefore, payload: '', qos, retain: true });
  if (!isOn) return book.erase([DISCOVERY]);
  if (!stays) await book.write({ [DISCOVERY]: `${topic}\n${entities}` });
  await broker.publish({ topic, payload: JSON.stringify(payload), qos, retain: true });
}

const digestOf = (texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\n')).digest('base64url').slice(0, 16);

/** Ids of Home Assistant hold letters, digits, `_` and `-`. */
const idOf = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, '_');

const discoveryTopic = (prefix: string, clientId: string): string => `${prefix}/device/${idOf(clientId)}/config`;

/** The payload of the discovery topic. */
function discoveryPayload(facts: DiscoveryFacts): JsonObject {
  const { clientId, host, serial, topics, qos } = facts;
  const node = idOf(clientId);
  const components = Object.fromEntries(
    componentsOf(facts).map(({ id, ...component }) => [id, { ...component, unique_id: `${node}_${id}` }]),
  );
  return defined({
    device: defined({
      identifiers: [node],
      name: host === undefined ? 'SMS Gateway' : `SMS Gateway ${host}`,
      model: 'SMS Gateway',
      sw_version: version,
      serial_number: serial,
    }),
    origin: { name: 'sms-gateway', sw_version: version },
    availability_topic: topics.availability,
    qos,
    components,
  });
}

interface Component extends JsonObject {
  readonly id: string;
  readonly platform: string;
  readonly name: string;
}

function componentsOf(facts: DiscoveryFacts): readonly Component[] {
  const { topics } = facts;
  const single = facts.modems.length === 1;
  return [
    ...(topics.modem === undefined
      ? []
      : facts.modems.flatMap((modem) => modemSensors(modemTopic(topics.modem ?? '', modem), modem, single))),
    ...(topics.queue === undefined ? [] : [queueSensor(topics.queue)]),
    ...(topics.received === undefined ? [] : [receivedEvent(topics.received)]),
    ...(topics.send === undefined ? [] : notifiers(topics.send, facts)),
  ];
}

/** A field of a state; Home Assistant takes `None` for unknown. */
const field = (name: string): string => `{{ value_json.${name} | default('None') }}`;

function modemSensors(state_topic: string, modem: string, single: boolean): readonly Component[] {
  const name = (what: string) => (single ? what : `${what} ${modem}`);
  const common = { platform: 'sensor', state_topic, entity_category: 'diagnostic' } as const;
  const id = idOf(modem);
  return [
    {
      id: `${id}_signal`,
      ...common,
      name: name('Signal'),
      device_class: 'signal_strength',
      unit_of_measurement: 'dBm',
      state_class: 'measurement',
      value_template: field('signal'),
    },
    {
      id: `${id}_operator`,
      ...common,
      name: name('Operator'),
      icon: 'mdi:radio-tower',
      value_template: field('operator'),
    },
    {
      id: `${id}_state`,
      ...common,
      name: name('Modem'),
      icon: 'mdi:sim',
      value_template: field('state'),
      json_attributes_topic: state_topic,
    },
  ];
}

const queueSensor = (state_topic: string): Component => ({
  id: 'queue',
  platform: 'sensor',
  name: 'Queue',
  icon: 'mdi:tray-full',
  state_topic,
  state_class: 'measurement',
  unit_of_measurement: 'SMS',
  value_template: field('waiting'),
});

const receivedEvent = (state_topic: string): Component => ({
  id: 'received',
  platform: 'event',
  name: 'Received SMS',
  icon: 'mdi:message-text',
  state_topic,
  event_types: ['received'],
});

/** One that takes the number in front of the text, and one for each group and each listed number. */
function notifiers(command_topic: string, { groups, numbers }: DiscoveryFacts): readonly Component[] {
  const notify = { platform: 'notify', command_topic } as const;
  const template = (recipient: JsonObject) =>
    `{"${Object.keys(recipient)[0]}": ${JSON.stringify(Object.values(recipient)[0])}, "text": {{ value | tojson }}}`;
  return [
    { id: 'notify', ...notify, name: 'Send SMS' },
    ...groups.map((group) => ({
      id: `group_${idOf(Buffer.from(group).toString('hex').slice(0, 40))}`,
      ...notify,
      name: `SMS to ${group}`,
      command_template: template({ group }),
    })),
    ...numbers.map((number) => ({
      id: `number_${number.replace(/\D/g, '')}`,
      ...notify,
      name: `SMS to ${number}`,
      command_template: template({ number }),
    })),
  ];
}
