'use strict';
'require view';
'require form';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

const topicForm = /^(?:-|[^\s+#$\u0000-\u001f\u007f][^+#\u0000-\u001f\u007f]*)$/;

function topic(s, name, usual, title, help) {
	const o = s.taboption('advanced', form.Value, name, title, help);

	o.placeholder = usual;

	return fields.text(o, 1, 200, topicForm, _('a topic without + and #, with ~ in front for the base topic, or - for none'));
}

function client(s) {
	let o;

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	functionpage.state(s, 'general', 'mqtt');
	options.enabled(s, _('Turns MQTT on or off.'));

	o = s.taboption('general', form.Value, 'host', _('Broker'),
		_('Host name or address of the MQTT broker.'));
	o.placeholder = '192.168.1.10';
	fields.needed(fields.host(o), 'enabled');

	o = s.taboption('general', form.Value, 'port', _('Broker port'),
		_('TCP port of the broker. Empty: 8883 with TLS, else 1883.'));
	fields.port(o, 1);

	o = s.taboption('general', form.Value, 'username', _('User name'),
		_('Account on the broker. Empty: no login.'));
	fields.text(o, 0, 256);

	o = s.taboption('general', form.Value, 'password', _('Password'),
		_('Password of the account.'));
	fields.secret(fields.text(o, 0, 256));

	o = s.taboption('general', form.Flag, 'tls', _('Secure connection'),
		_('Uses TLS. Off: plain, and the password is sent as it is.'));
	o.default = '0';

	o = s.taboption('general', form.Value, 'topic', _('Base topic'),
		_('What stands as ~ in front of the topics. Each gateway on one broker needs its own.'));
	o.placeholder = 'sms_gateway';
	fields.text(o, 1, 100, /^[^\s+#$~\u0000-\u001f\u007f/](?:[^+#~\u0000-\u001f\u007f]*[^\s+#~\u0000-\u001f\u007f/])?$/, _('a topic without + # ~ and without / at its ends'));

	o = s.taboption('general', form.Flag, 'discovery', _('Home Assistant discovery'),
		_('Makes the gateway appear in Home Assistant by itself. Off: it is removed there.'));
	o.default = '1';

	o = s.taboption('general', form.DynamicList, 'notify', _('Recipients in Home Assistant'),
		_('Phone numbers that get a notify entity each. Phone groups have theirs already.'));
	fields.phones(o);

	options.everySms(s, _('Publish SMS Utilities rules'),
		_('On: messages that trigger a rule are published as well.'), 'advanced');

	o = s.taboption('advanced', form.Value, 'discovery_prefix', _('Discovery prefix'),
		_('The prefix that Home Assistant listens to.'));
	o.placeholder = 'homeassistant';
	fields.text(o, 1, 100, /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/, _('letters, digits, _ - and / between them'));

	options.sslVerify(s);

	options.caFile(s);

	o = s.taboption('advanced', form.Value, 'tls_cert', _('Client certificate'),
		_('PEM file with the certificate that the broker knows the gateway by. Empty: none.'));
	fields.file(o);

	o = s.taboption('advanced', form.Value, 'tls_key', _('Client key'),
		_('PEM file with the private key of the client certificate.'));
	fields.file(o);

	o = s.taboption('advanced', form.Value, 'client_id', _('Client id'),
		_('The name that the broker keeps the session under; no other client may use it. Empty: made from the serial number of the router, else from its host name.'));
	fields.text(o, 1, 64, /^[!-~]+$/, _('printable ASCII without blanks'));

	o = s.taboption('advanced', form.Value, 'keepalive', _('Keep-alive'),
		_('Seconds of silence after which the broker is asked whether it is there.'));
	fields.number(o, 5, 3600, 60);

	options.timeout(s);

	o = s.taboption('advanced', form.Value, 'session_hours', _('Keep requests for'),
		_('Hours that the broker keeps requests while the gateway is away. A broker without MQTT 5 goes by its own rule. 0: not at all.'));
	fields.number(o, 0, 720, 24);

	o = s.taboption('advanced', form.ListValue, 'qos', _('QoS'),
		_('1: each publication and each request is repeated until the other side has it. 0: once, and what is lost is lost. 2: publications come exactly once over a connection that holds.'));
	o.value('0', '0');
	o.value('1', '1');
	o.value('2', '2');
	o.default = '1';

	o = s.taboption('advanced', form.Flag, 'retain', _('Retain states'),
		_('The broker keeps the last state of modems, queue and availability for those who come later.'));
	o.default = '1';
	topic(s, 'topic_received', '~/received', _('Topic of received messages'),
		_('Where received messages go. -: not published.'));
	topic(s, 'topic_sent', '~/sent', _('Topic of sent messages'),
		_('Where the states of sent messages go. -: not published.'));
	topic(s, 'topic_modem', '~/modem', _('Topic of modems'),
		_('Where the state of each modem goes, with a slash and its name behind. -: not published.'));
	topic(s, 'topic_queue', '~/queue', _('Topic of the queue'),
		_('Where the length of the queue goes. -: not published.'));
	topic(s, 'topic_availability', '~/availability', _('Topic of availability'),
		_('Where "online" goes, and "offline" as last will. -: not published.'));
	topic(s, 'topic_send', '~/send', _('Topic of requests'),
		_('Where messages to send come from; with a slash and a number behind for plain text. -: none are taken.'));
	topic(s, 'topic_answer', '~/send/answer', _('Topic of answers'),
		_('Where requests are answered that name no response topic. -: those are not answered.'));
}

return view.extend({
	load: function() {
		return functionpage.load({ mqtt: 'mqtt' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('MQTT'),
			_('Publishes messages and states to an MQTT broker, and takes messages to send from it.'));

		client(m.section(form.NamedSection, 'mqtt', 'mqtt'));

		return functionpage.render(m, status, [ 'mqtt' ]);
	}
});
