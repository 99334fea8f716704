'use strict';
'require view';
'require form';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';

return view.extend({
	load: function() {
		return functionpage.load({ gateway: 'gateway' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Gateway'),
			_('The service itself: its log, its message store and the rules for sending that hold for every function.')),
		      s = m.section(form.NamedSection, 'gateway', 'gateway'),
		      oneWord = /^\S+$/,
		      prefix = /^(?:[A-Za-z].* )?\+?[0-9*#]{1,20}$/;
		let o;

		s.tab('store', _('Messages'));
		s.tab('sending', _('Sending'));
		s.tab('limits', _('Limits'));
		s.tab('rules', _('Rules'));
		s.tab('advanced', _('Advanced'));

		o = s.taboption('store', form.Value, 'capacity', _('Inbox capacity'),
			_('How many received messages the inbox holds.'));
		fields.number(o, 10, 1000000, 1000);

		o = s.taboption('store', form.Flag, 'evict', _('Make room in a full inbox'),
			_('On: the oldest read message goes when a new one needs its place. Off: new messages wait on the SIM or modem until some are deleted.'));
		o.default = '0';

		o = s.taboption('store', form.Value, 'keep_sent', _('Keep sent messages'),
			_('Days after which finished messages leave the outbox.'));
		fields.number(o, 1, 3650, 30);

		o = s.taboption('store', form.Value, 'keep_sent_max', _('Keep sent messages, at most'),
			_('How many finished messages the outbox keeps.'));
		fields.number(o, 0, 1000000, 1000);

		o = s.taboption('store', form.Value, 'part_timeout', _('Wait for missing parts'),
			_('Hours after which an incomplete long message is shown with a mark where text is missing.'));
		fields.number(o, 1, 720, 24);

		o = s.taboption('sending', form.Value, 'country_code', _('Country code'),
			_('Country code of national numbers, such as 370. It decides which international number a listed or received national number stands for. Empty: that of the country of the SIM.'));
		fields.text(o, 1, 3, /^[1-9][0-9]{0,2}$/, _('a country code of one to three digits'));

		o = s.taboption('sending', form.Value, 'validity', _('Validity'),
			_('Hours after which a message that could not be sent or delivered is given up, unless its sender said otherwise. The network supports up to 63 weeks, and rounds.'));
		fields.number(o, 1, 10584, 48);

		o = s.taboption('sending', form.Value, 'queue_limit', _('Outbox limit'),
			_('Most waiting messages; further ones are refused.'));
		fields.number(o, 1, 1000000, 10000);

		o = s.taboption('sending', form.ListValue, 'ambiguous', _('When the modem gave no answer'),
			_('Without an answer the part may have been sent or not. "resend" sends it once more, "hold" leaves the message in the state unknown for a person to decide.'));
		o.value('resend', _('Send again'));
		o.value('hold', _('Hold'));
		o.default = 'resend';

		o = s.taboption('sending', form.Flag, 'transliterate', _('Replace typographic characters'),
			_('Sends curly quotes, dashes and the like as plain ones where that keeps a message in the GSM alphabet, which holds more than twice the text.'));
		o.default = '0';

		o = s.taboption('sending', form.DynamicList, 'national_tables', _('National language tables'),
			_('Language numbers of TS 23.038 6.2.1.2.4 that may be used for sending when they make a message shorter (1 Turkish, 2 Spanish, 3 Portuguese, ...). Old phones show such messages wrongly.'));
		fields.number(o, 1, 13);

		o = s.taboption('limits', form.Value, 'sms_per_minute', _('SMS a minute'),
			_('Most SMS of all functions together within a minute; further ones are refused. Each part of a long message counts. 0: no limit.'));
		fields.number(o, 0, 10000000, 1000);

		o = s.taboption('limits', form.Value, 'sms_per_hour', _('SMS an hour'),
			_('Most SMS of all functions together within an hour; further ones are refused. Each part of a long message counts. 0: no limit.'));
		fields.number(o, 0, 10000000, 5000);

		o = s.taboption('limits', form.Value, 'sms_per_day', _('SMS a day'),
			_('Most SMS of all functions together within a day; further ones are refused. Each part of a long message counts. 0: no limit.'));
		fields.number(o, 0, 10000000, 20000);

		o = s.taboption('limits', form.Value, 'recipient_per_minute', _('SMS a minute to one number'),
			_('Most SMS to one number within a minute; further ones are refused. Each part of a long message counts. 0: no limit.'));
		fields.number(o, 0, 10000000, 60);

		o = s.taboption('limits', form.Value, 'recipient_per_hour', _('SMS an hour to one number'),
			_('Most SMS to one number within an hour; further ones are refused. Each part of a long message counts. 0: no limit.'));
		fields.number(o, 0, 10000000, 300);

		o = s.taboption('limits', form.Value, 'recipient_per_day', _('SMS a day to one number'),
			_('Most SMS to one number within a day; further ones are refused. Each part of a long message counts. 0: no limit.'));
		fields.number(o, 0, 10000000, 1000);

		o = s.taboption('limits', form.DynamicList, 'function_limit', _('SMS of one function'),
			_('A function and its most SMS a minute, an hour and a day, with blanks between: "pop3 60 300 1000". Functions are post_get, account and token (of the API), mqtt, pop3, auto_reply, rules, forwarding_to_sms, scheduled, smpp and rpc; "smpp:NAME" is one SMPP account. 0: no limit. Those that are not listed here have the limits of docs/security.md.'));
		fields.text(o, 0, 128, /^[A-Za-z].*(?: [0-9]{1,8}){3}$/, _('a function and its SMS a minute, an hour and a day, such as "pop3 60 300 1000"'));

		o = s.taboption('limits', form.DynamicList, 'allow_prefix', _('Allowed beginnings of numbers'),
			_('Messages go only to numbers that begin so: "+370". With a function in front, "pop3 +370", it holds for that function only, in place of those without. Empty: all.'));
		fields.text(o, 0, 128, prefix, _('the beginning of a number, with a function in front or not'));

		o = s.taboption('limits', form.DynamicList, 'deny_prefix', _('Denied beginnings of numbers'),
			_('No message goes to a number that begins so, such as a premium rate number: "+370900". With a function in front, "pop3 +370900", it holds for that function only. A national number counts as one of the country of the gateway, too.'));
		fields.text(o, 0, 128, prefix, _('the beginning of a number, with a function in front or not'));

		o = s.taboption('limits', form.DynamicList, 'alarm_number', _('Alarm by SMS'),
			_('Numbers that get a message when a limit of SMS is reached, at most 10 a day.'));
		fields.phones(o);

		o = s.taboption('limits', form.DynamicList, 'alarm_email', _('Alarm by mail'),
			_('Addresses that get a mail when a limit of SMS is reached, through the server of SMS Forwarding To Email.'));
		fields.email(fields.list(o));

		o = s.taboption('rules', form.Value, 'admin_password', _('Password for rules'),
			_('What a message must begin with for rules with authorisation by password. Plain, or a crypt hash ($1$, $5$, $6$). Empty: the password of root on this system.'));
		fields.secret(fields.text(o, 0, 256, oneWord, _('one word')));

		o = s.taboption('rules', form.Value, 'serial', _('Serial number'),
			_('What a message must begin with for rules with authorisation by serial number. Empty: the serial number of the board, where the system knows it.'));
		fields.text(o, 0, 64, oneWord, _('one word'));

		o = s.taboption('advanced', form.ListValue, 'log_level', _('Log level'),
			_('At info each message has a line for each step: accepted, sent, delivered, failed, received. At debug the dialogue with the modems is shown.'));
		o.value('error', 'error');
		o.value('warning', 'warning');
		o.value('info', 'info');
		o.value('debug', 'debug');
		o.default = 'info';

		o = s.taboption('advanced', form.Value, 'read_group', _('Group that may read'),
			_('Group of the system whose accounts may read messages and states, on a socket of their own beside the control socket: sms_gateway-read.sock.'));
		fields.text(o, 1, 32, /^[a-z_][a-z0-9_-]{0,31}$/, _('the name of a group'));

		o = s.taboption('advanced', form.Value, 'send_group', _('Group that may send'),
			_('Group of the system whose accounts may also send, delete, cancel and retry messages, on sms_gateway-send.sock.'));
		fields.text(o, 1, 32, /^[a-z_][a-z0-9_-]{0,31}$/, _('the name of a group'));

		o = s.taboption('advanced', form.Value, 'http_cert', _('Certificate'),
			_('PEM file with the certificate and its chain, for the built-in web server. With it that speaks HTTPS only. The file is read again when it changes.'));
		fields.file(o);

		o = s.taboption('advanced', form.Value, 'http_key', _('Key'),
			_('PEM file with the private key, which only the account of the gateway should be able to read. Empty: the file of the certificate holds it as well.'));
		fields.file(o);

		o = s.taboption('advanced', form.DynamicList, 'trusted_proxy', _('Trusted proxies'),
			_('Addresses or networks of proxies in front of the web server that write X-Forwarded-For or Forwarded: the address there is taken for the client. Without them everybody behind a proxy counts as one client.'));
		o.datatype = 'ipaddr';

		o = s.taboption('advanced', form.Flag, 'log_text', _('Texts in the log'),
			_('Shows the texts of messages at the log level debug.'));
		o.default = '0';

		o = s.taboption('advanced', form.DynamicList, 'monitor_from', _('Monitoring clients'),
			_('Addresses or networks that may read /metrics and /health of the built-in web server.'));
		o.datatype = 'ipaddr';
		o.placeholder = '127.0.0.0/8 ::1';

		o = s.taboption('advanced', form.Flag, 'api', _('REST interface'),
			_('Serves /api/v1 and its aliases on the built-in web server. Every request needs a token, or an account of the web pages or of Post/Get.'));
		o.default = '1';
		o.rmempty = false;

		o = s.taboption('advanced', form.Value, 'sync', _('Write to flash'),
			_('"always": every message is on the flash before it counts as accepted. A number of seconds wears the flash less; a power cut loses the messages of that time.'));
		o.placeholder = 'always';
		fields.check(o, function(value) {
			return value == 'always' || (/^[0-9]{1,4}$/.test(value) && +value >= 1 && +value <= 3600)
				? true : _('Expecting: %s').format(_('always, or 1 to 3600 seconds'));
		});

		o = s.taboption('advanced', form.Value, 'state_dir', _('Message directory'),
			_('Directory of the messages, for the init script of OpenWrt; a change moves no messages. A directory under /tmp saves the flash, but loses every message in a power cut.'));
		o.placeholder = '/etc/sms_gateway';
		fields.check(o, function(value) {
			return /^\/[^\s]*[^\s\/]$/.test(value) ? true : _('Expecting: %s').format(_('an absolute path'));
		});

		o = s.taboption('advanced', form.ListValue, 'user', _('Account'),
			_('Account that the init script of OpenWrt runs the gateway under. root: for rules whose commands need it.'));
		o.value('sms', 'sms');
		o.value('root', 'root');
		o.default = 'sms';

		o = s.taboption('advanced', form.Value, 'socket_mode', _('Socket mode'), _('Access rights of the control socket.'));
		o.placeholder = '0660';
		fields.text(o, 4, 4, /^0[0-7]{3}$/, _('four octal digits'));

		return functionpage.render(m, status, [ 'gateway' ]);
	}
});
