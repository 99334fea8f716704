'use strict';
'require view';
'require form';
'require uci';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

/* What both kinds of section have: which events they take. */
function events(s) {
	let o = s.taboption('general', form.DynamicList, 'event', _('Events'),
		_('What happens: a message is received, sent, delivered, or failed for good; a modem comes to another state; somebody calls.'));

	o.value('sms.received', _('SMS received'));
	o.value('sms.sent', _('SMS sent'));
	o.value('sms.delivered', _('SMS delivered'));
	o.value('sms.failed', _('SMS failed'));
	o.value('modem.state', _('State of a modem'));
	o.value('call.incoming', _('Call'));
	fields.usual(fields.list(o), 'sms.received');

	o = s.taboption('filter', form.DynamicList, 'number', _('Phone numbers'),
		_('Only messages from or to these numbers, messages from these names, and calls from these numbers. Empty: all.'));
	o.modalonly = true;
	fields.text(fields.list(o), 1, 40);

	o = s.taboption('filter', form.DynamicList, 'text', _('Texts'),
		_('Only messages with one of these texts; case and white space do not matter. Empty: all.'));
	o.modalonly = true;
	fields.text(fields.list(o), 1, 160);

	o = s.taboption('filter', form.ListValue, 'match', _('Match'),
		_('Whether the message contains the text, begins with its words, or is the text.'));
	o.modalonly = true;
	o.value('contains', _('contains the text'));
	o.value('prefix', _('begins with the text'));
	o.value('exact', _('is the text'));
	o.default = 'contains';

	o = s.taboption('filter', form.DynamicList, 'modem', _('Modems'), _('Only what happens at these modems. Empty: all.'));
	o.modalonly = true;
	fields.names(o, options.modems(), 'name');
	fields.list(o);

	o = s.taboption('filter', form.Flag, 'every_sms', _('SMS Utilities rules too'),
		_('On: also received messages that trigger a rule.'));
	o.modalonly = true;
	o.default = '0';
}

function grid(s, button, title) {
	s.addremove = true;
	s.nodescriptions = true;
	s.addbtntitle = button;
	s.modaltitle = title;

	s.tab('general', _('General'));
	s.tab('filter', _('Filter'));
	s.tab('advanced', _('Advanced'));
}

function enabled(s, help) {
	const o = s.taboption('general', form.Flag, 'enabled', _('Enable'), help);

	o.default = '1';
	o.rmempty = false;
	o.editable = true;
}

function state(m, name, title, description) {
	functionpage.state(m.section(form.NamedSection, 'gateway', name, title, description), null, name);
}

function programs(s) {
	let o;

	grid(s, _('Add a hook'), _('Hook'));
	enabled(s, _('Turns the hook on or off.'));

	o = s.taboption('general', form.DynamicList, 'argv', _('Program and arguments'),
		_('Absolute path of the program, then its arguments, one a list element. No shell. The program must belong to root or the gateway\'s user, and nobody else may be able to write to it.'));
	fields.program(o, 'enabled');
	o.textvalue = function(section_id) {
		return E('span', {}, [ L.toArray(uci.get('sms_gateway', section_id, 'argv')).join(' ') ]);
	};

	events(s);

	o = s.taboption('advanced', form.ListValue, 'style', _('Called like'),
		_('What follows the arguments: nothing; as smsd of smstools calls its eventhandler, the kind of event, a file with the message, its id; as gammu-smsd calls RunOnReceive, the id.'));
	o.modalonly = true;
	o.value('own', _('nothing'));
	o.value('smsd', _('an eventhandler of smsd'));
	o.value('gammu', _('RunOnReceive of gammu-smsd'));
	o.default = 'own';

	o = s.taboption('advanced', form.Value, 'timeout', _('Time-out'),
		_('Seconds after which the program is killed, with what it has started. So it is when the gateway stops.'));
	o.modalonly = true;
	fields.number(o, 1, 240, 30);

	o = s.taboption('advanced', form.Value, 'attempts', _('Attempts'),
		_('Runs for one event before a program that ends with an exit code other than 0 and 75 is given up.'));
	o.modalonly = true;
	fields.number(o, 1, 100, 3);

	o = s.taboption('advanced', form.Value, 'retry_hours', _('Retry for'),
		_('Hours during which a program that ended with 75, was killed or could not be started is run again, also across restarts. 0: one try only.'));
	o.modalonly = true;
	fields.number(o, 0, 720, 48);
}

function servers(s) {
	let o;

	grid(s, _('Add a webhook'), _('Webhook'));
	enabled(s, _('Turns the webhook on or off.'));

	o = s.taboption('general', form.Value, 'url', _('URL'),
		_('Address of the server with port, path and query, https:// in front for TLS. User and password in front, user:password@host, become Basic authentication.'));
	fields.needed(fields.url(o), 'enabled');
	o.textvalue = function(section_id) {
		return E('span', {}, [ String(uci.get('sms_gateway', section_id, 'url') || '').replace(/^(https?:\/\/)?[^@\/]*@/, '$1') ]);
	};

	events(s);

	o = s.taboption('advanced', form.ListValue, 'method', _('Method'),
		_('GET carries the fields in the URL, the others carry a body.'));
	o.modalonly = true;
	o.value('post', 'Post');
	o.value('put', 'Put');
	o.value('patch', 'Patch');
	o.value('get', 'Get');
	o.default = 'post';

	o = s.taboption('advanced', form.ListValue, 'format', _('Body'),
		_('A JSON object of all fields, a form of them, or the template below.'));
	o.modalonly = true;
	o.value('json', 'JSON');
	o.value('form', _('Form'));
	o.value('template', _('Template'));
	o.default = 'json';

	o = s.taboption('advanced', form.TextValue, 'body', _('Template'),
		_('The body, with fields such as {{number}} or {{text}} written as the content type demands.'));
	o.modalonly = true;
	o.rows = 6;
	o.placeholder = '{"text": "{{number}}: {{text}}"}';
	o.depends('format', 'template');
	o.retain = true;
	fields.text(o, 0, 8000);

	o = s.taboption('advanced', form.Value, 'content_type', _('Content type'),
		_('Media type of the template. Fields are escaped for JSON, XML, HTML and forms; elsewhere they stay as they are.'));
	o.modalonly = true;
	o.placeholder = 'application/json';
	o.depends('format', 'template');
	o.retain = true;
	fields.text(o, 0, 200, /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+(?:; ?[\x20-\x7e]+)?$/, _('a media type such as text/plain'));

	o = s.taboption('advanced', form.DynamicList, 'header', _('Headers'),
		_('Headers that each request carries, such as X-Api-Key: abc. They replace those of the same name. A redirect to another server drops them.'));
	o.modalonly = true;
	fields.text(fields.list(o), 1, 1000, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0a-\x1f\x7f-\x9f]*$/,
		_('a header such as X-Api-Key: abc'));

	o = s.taboption('advanced', form.Value, 'hmac_secret', _('Signature key'),
		fields.help(_('Signs each request: the header X-Signature carries t=<unix time>,v1=<HMAC-SHA256 in hex of time, a dot and the body or query>. Empty: not signed.')));
	o.modalonly = true;
	fields.secret(fields.text(o, 0, 256));

	options.sslVerify(s).modalonly = true;
	options.caFile(s).modalonly = true;
	options.timeout(s).modalonly = true;

	o = s.taboption('advanced', form.DynamicList, 'success_codes', _('Success codes'),
		_('HTTP statuses, or ranges of them, that mean the server accepted the event.'));
	o.modalonly = true;
	o.placeholder = '200-299';
	fields.text(o, 3, 7, /^[1-5][0-9]{2}(-[1-5][0-9]{2})?$/, _('an HTTP status or a range such as 200-299'));

	o = s.taboption('advanced', form.Value, 'retry_hours', _('Retry for'),
		_('Hours during which an event that could not be delivered is tried again, also across restarts. 0: one try only.'));
	o.modalonly = true;
	fields.number(o, 0, 720, 48);
}

return view.extend({
	load: function() {
		return functionpage.load({ gateway: 'gateway' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Hooks'),
			_('What happens reaches programs of this router and web servers elsewhere. What they do not take is tried again, also after a restart.'));

		state(m, 'hooks', _('Programs'),
			_('Who may change this page may run programs as the user of the gateway.'));
		programs(m.section(form.GridSection, 'hook'));
		state(m, 'webhooks', _('Web servers'));
		servers(m.section(form.GridSection, 'webhook'));

		return functionpage.render(m, status, [ 'hook', 'webhook' ]);
	}
});
