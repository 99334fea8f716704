'use strict';
'require view';
'require form';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

const printable = /^[ -~]*$/;
const passwordForm = /^(?:[ -~]{0,8}|\$[156]\$[!-~]{0,126})$/;

function username(o) {
	return fields.text(o, 1, 15, printable, _('printable ASCII'));
}

function password(o) {
	return fields.secret(fields.text(o, 0, 128, passwordForm,
		_('at most 8 characters of printable ASCII, or a crypt hash ($1$, $5$, $6$)')));
}

function allowFrom(s, tab) {
	const o = s.taboption(tab, form.DynamicList, 'allow_from', _('Allowed clients'),
		_('Addresses or networks that may connect. Empty: all.'));

	o.datatype = 'ipaddr';
	o.modalonly = true;
}

function systemType(s, tab) {
	const o = s.taboption(tab, form.DynamicList, 'system_type', _('System types'),
		_('Values of system_type that may bind. Empty: any.'));

	o.modalonly = true;
	fields.text(o, 1, 12, /^[!-~]+$/, _('printable ASCII'));
}

/* What the server has for all accounts, and an account for itself. */
function common(s, tab) {
	let o;

	o = s.taboption(tab, form.Value, 'rate', _('Rate'),
		_('Messages a second that an account may submit, over all its sessions; more are answered ESME_RTHROTTLED. 0: no limit.'));
	o.modalonly = true;
	fields.number(o, 0, 100000, 0);

	o = s.taboption(tab, form.Value, 'window', _('Window'),
		_('Requests of one session that may wait for an answer at a time; further ones are read later.'));
	o.modalonly = true;
	fields.number(o, 1, 1000, 50);

	o = s.taboption(tab, form.Value, 'deliver_window', _('Delivery window'),
		_('Messages and receipts to an account that may wait for its answer at a time. Above 1 they are sent in order, but one that is refused comes after later ones.'));
	o.modalonly = true;
	fields.number(o, 1, 100, 1);

	systemType(s, tab);

	o = s.taboption(tab, form.Flag, 'receive', _('Receive'),
		_('Whether received messages go to sessions of this account.'));
	o.modalonly = true;
	o.default = '1';

	o = s.taboption(tab, form.DynamicList, 'receive_modem', _('Receive from modems'),
		_('Only messages that these modems received. Empty: all.'));
	o.modalonly = true;
	fields.names(o, options.modems(), 'name');
	fields.text(o, 1, 64);

	o = s.taboption(tab, form.DynamicList, 'sender_prefix', _('Receive from senders'),
		_('Only messages of senders that begin so. Empty: all.'));
	o.modalonly = true;
	fields.text(o, 1, 20, /^\+?[0-9]+$/, _('digits, with or without + in front'));

	o = s.taboption(tab, form.Value, 'modem', _('Modem'), _('Name of the modem that sends. Empty: any.'));
	o.modalonly = true;
	o.placeholder = _('any');
	fields.names(o, options.modems(), 'name');
	fields.text(o, 0, 64);
}

function alphabets(o) {
	o.value('gsm', _('GSM 7-bit'));
	o.value('latin1', 'ISO 8859-1');
	o.value('ascii', 'ASCII');
}

function longMessages(o) {
	o.value('payload', 'message_payload');
	o.value('sar', 'sar_*');
	o.value('parts', _('user data header'));
}

function server(s) {
	let o;

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	functionpage.state(s, 'general', 'smpp');
	options.enabled(s, _('Turns SMPP on or off.'));

	o = s.taboption('general', form.Value, 'username', _('User name'),
		_('The system_id that clients bind with, at most 15 characters.'));
	o.default = 'admin';
	o.rmempty = false;
	username(o);

	o = s.taboption('general', form.Value, 'password', _('Password'),
		_('The password that clients bind with: plain, at most 8 characters as SMPP allows, or a crypt hash ($1$, $5$, $6$) of it.'));
	o.default = 'admin01';
	o.rmempty = false;
	password(o);

	o = s.taboption('general', form.Value, 'port', _('Server port'),
		_('TCP port of the server. 0: none, when only TLS is wanted.'));
	o.default = '7777';
	o.rmempty = false;
	fields.port(o, 0);

	o = s.taboption('advanced', form.Value, 'address', _('Bind address'), _('Local address to listen on. Empty: all.'));
	fields.host(o);

	allowFrom(s, 'advanced');

	o = s.taboption('advanced', form.Value, 'tls_port', _('TLS port'), _('TCP port for SMPP over TLS. Empty: none.'));
	fields.port(o, 1);

	o = s.taboption('advanced', form.Value, 'tls_cert', _('Certificate'),
		_('PEM file with the certificate and its chain.'));
	fields.file(o);

	o = s.taboption('advanced', form.Value, 'tls_key', _('Key'), _('PEM file with the private key.'));
	fields.file(o);

	o = s.taboption('advanced', form.Value, 'max_sessions', _('Sessions'), _('Connections in all.'));
	fields.number(o, 1, 1000, 20);

	o = s.taboption('advanced', form.Value, 'max_sessions_per_address', _('Sessions an address'),
		_('Connections from one client address.'));
	fields.number(o, 1, 1000, 10);

	o = s.taboption('advanced', form.ListValue, 'default_alphabet', _('Default alphabet'),
		_('What data_coding 0 means: GSM 7-bit, one septet an octet, ISO 8859-1, or ASCII.'));
	alphabets(o);
	o.default = 'gsm';

	o = s.taboption('advanced', form.ListValue, 'long_messages', _('Long messages'),
		_('How received messages of more than 254 octets go to a client: whole in message_payload, in parts with sar_* parameters, or in parts with a user data header. Clients of SMPP 3.3 get the last.'));
	longMessages(o);
	o.default = 'payload';

	common(s, 'advanced');

	o = s.taboption('advanced', form.Value, 'enquire_link', _('Keep-alive'),
		_('Seconds of silence after which the client is asked whether it is there; two misses end the session. 0: never.'));
	fields.number(o, 0, 3600, 30);

	o = s.taboption('advanced', form.Value, 'inactivity_timeout', _('Inactivity'),
		_('Seconds without a message after which a session is ended. 0: never.'));
	fields.number(o, 0, 86400, 0);

	o = s.taboption('advanced', form.Value, 'response_timeout', _('Response time-out'),
		_('Seconds that a client has to answer a request; then a message is handed to another session.'));
	fields.number(o, 1, 120, 10);

	o = s.taboption('advanced', form.Flag, 'every_sms', _('Hand over SMS Utilities rules'),
		_('On: messages that trigger a rule go to receivers as well.'));
	o.default = '0';

	options.maxFailures(s);
	options.lockout(s);
}

function accounts(s) {
	let o;

	s.anonymous = true;
	s.addremove = true;
	s.nodescriptions = true;
	s.addbtntitle = _('Add an account');
	s.modaltitle = _('SMPP account');

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	o = s.taboption('general', form.Flag, 'enabled', _('Enable'), _('Whether clients may bind with this account.'));
	o.default = '1';
	o.rmempty = false;
	o.editable = true;

	o = s.taboption('general', form.Value, 'username', _('User name'),
		_('The system_id that clients bind with, at most 15 characters.'));
	fields.needed(username(o));

	o = s.taboption('general', form.Value, 'password', _('Password'),
		_('The password that clients bind with: plain, at most 8 characters as SMPP allows, or a crypt hash ($1$, $5$, $6$) of it.'));
	o.modalonly = true;
	fields.needed(password(o));

	allowFrom(s, 'advanced');

	o = s.taboption('advanced', form.Value, 'max_sessions', _('Sessions'), _('Sessions of this account.'));
	o.modalonly = true;
	fields.number(o, 1, 1000, 10);

	o = s.taboption('advanced', form.ListValue, 'default_alphabet', _('Default alphabet'),
		_('What data_coding 0 means: GSM 7-bit, one septet an octet, ISO 8859-1, or ASCII. Empty: as in section smpp.'));
	o.modalonly = true;
	fields.empty(o, _('as the server'));
	alphabets(o);

	o = s.taboption('advanced', form.ListValue, 'long_messages', _('Long messages'),
		_('How received messages of more than 254 octets go to a client: whole in message_payload, in parts with sar_* parameters, or in parts with a user data header. Clients of SMPP 3.3 get the last. Empty: as in section smpp.'));
	o.modalonly = true;
	fields.empty(o, _('as the server'));
	longMessages(o);

	common(s, 'advanced');
}

return view.extend({
	load: function() {
		return functionpage.load({ smpp: 'smpp' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('SMPP'),
			_('The SMPP 3.4 server. Its own user name and password make one account; further accounts may be added below.'));

		server(m.section(form.NamedSection, 'smpp', 'smpp'));
		accounts(m.section(form.GridSection, 'smpp_account', _('Further accounts'),
			_('Clients that log in under a name of their own, with limits of their own.')));

		return functionpage.render(m, status, [ 'smpp', 'smpp_account' ]);
	}
});
