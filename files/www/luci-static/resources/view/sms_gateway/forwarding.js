'use strict';
'require view';
'require form';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

function toHttp(s) {
	let o;

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	functionpage.state(s, 'general', 'forwarding_to_http');
	options.enabled(s, _('Turns SMS Forwarding To HTTP on or off.'));
	options.everySms(s);

	o = s.taboption('general', form.Flag, 'use_https_protocol', _('Use HTTPS'),
		_('Uses HTTPS in place of HTTP, whatever the URL begins with.'));
	o.default = '0';

	o = s.taboption('general', form.Flag, 'message_encode_b64', _('Encode message text to Base64'),
		_('Sends the text (UTF-8) as Base64.'));
	o.default = '0';

	o = s.taboption('general', form.ListValue, 'verify_cert', _('HTTPS certificate verification'),
		_('Whether the server\'s certificate is verified or ignored.'));
	o.value('ignore', _('Ignore'));
	o.value('verify', _('Verify'));
	o.default = 'ignore';

	o = s.taboption('general', form.ListValue, 'method', _('Method'),
		_('GET carries the fields in the URL, POST in the body.'));
	o.value('post', 'Post');
	o.value('get', 'Get');
	o.default = 'get';

	o = s.taboption('general', form.Value, 'url', _('URL'),
		_('Host or address, with or without port, path and query of its own: 192.168.1.1:81/sms?key=1. User and password in front, user:password@host, become Basic authentication.'));
	fields.needed(fields.url(o), 'enabled');

	o = s.taboption('general', form.Value, 'number_name', _('Number value name'),
		_('Name of the field with the sender\'s number. Empty: not sent.'));
	fields.text(o, 0, 64);

	o = s.taboption('general', form.Value, 'message_name', _('Message value name'),
		_('Name of the field with the text. Empty: not sent.'));
	fields.text(o, 0, 64);

	o = s.taboption('general', form.Value, 'extra_name1', _('Extra data pair 1, name'), _('Name of a field of your own.'));
	fields.text(o, 0, 64);

	o = s.taboption('general', form.Value, 'extra_value1', _('Extra data pair 1, value'), _('Its value.'));
	fields.text(o, 0, 1000);

	o = s.taboption('general', form.Value, 'extra_name2', _('Extra data pair 2, name'), _('Name of a field of your own.'));
	fields.text(o, 0, 64);

	o = s.taboption('general', form.Value, 'extra_value2', _('Extra data pair 2, value'), _('Its value.'));
	fields.text(o, 0, 1000);

	options.mode(s, 'number');

	o = s.taboption('general', form.DummyValue, '_example', _('Request'));
	o.renderWidget = function(section_id) {
		return E('div', { 'class': 'sg-example', 'data-example': section_id }, [ example(this.section, section_id, true) ]);
	};

	s.children.forEach(function(option) {
		if (!(option instanceof form.DummyValue))
			option.onchange = function(ev, section_id) {
				const node = document.querySelector('[data-example="' + section_id + '"]');

				if (node)
					node.textContent = example(this.section, section_id, false);
			};
	});

	options.caFile(s);

	o = s.taboption('advanced', form.ListValue, 'format', _('Body format'),
		_('How POST sends the fields: as a form, or as a JSON object under the same names.'));
	o.value('form', _('Form'));
	o.value('json', 'JSON');
	o.default = 'form';
	o.depends('method', 'post');
	o.retain = true;

	o = s.taboption('advanced', form.Value, 'time_name', _('Time value name'),
		_('Name of a field that carries the time of the message, ISO 8601 UTC. Empty: not sent.'));
	fields.text(o, 0, 64);

	o = s.taboption('advanced', form.Value, 'modem_name', _('Modem value name'),
		_('Name of a field that carries the name of the receiving modem. Empty: not sent.'));
	fields.text(o, 0, 64);

	o = s.taboption('advanced', form.Value, 'id_name', _('Id value name'),
		_('Name of a field that carries the id of the message in this gateway; the same when a request is repeated. Empty: not sent.'));
	fields.text(o, 0, 64);

	o = s.taboption('advanced', form.DynamicList, 'header', _('Headers'),
		_('Headers that each request carries, such as X-Api-Key: abc. They replace those of the same name. A redirect to another server drops them.'));
	fields.text(fields.list(o), 1, 1000, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0a-\x1f\x7f-\x9f]*$/,
		_('a header such as X-Api-Key: abc'));

	o = s.taboption('advanced', form.Value, 'hmac_secret', _('Signature key'),
		fields.help(_('Signs each request: the header X-Signature carries t=<unix time>,v1=<HMAC-SHA256 in hex of time, a dot and the body or query>. Empty: not signed.')));
	fields.secret(fields.text(o, 0, 256));

	options.timeout(s);

	o = s.taboption('advanced', form.Flag, 'delivery_reports', _('Delivery reports too'),
		_('Also sends the outcome of sent messages: the recipient as the number, the state (delivered, undelivered, expired, failed, unknown) as the text.'));
	o.default = '0';

	o = s.taboption('advanced', form.DynamicList, 'success_codes', _('Success codes'),
		_('HTTP statuses, or ranges of them, that mean the server accepted the message.'));
	o.placeholder = '200-299';
	fields.text(o, 3, 7, /^[1-5][0-9]{2}(-[1-5][0-9]{2})?$/, _('an HTTP status or a range such as 200-299'));

	options.retryHours(s);
}

/* The request as the server gets it, for the manual's message. */
function example(section, section_id, saved) {
	const value = function(name) {
		const option = section.children.filter(function(o) { return o.option == name; })[0],
		      text = option ? (saved ? option.cfgvalue(section_id) : option.formvalue(section_id)) : null;

		return text == null ? '' : String(text);
	};
	const text = value('message_encode_b64') == '1' ? 'SGVsbG8h' : 'Hello!',
	      pairs = [
		[ value('number_name'), '+370000000000' ],
		[ value('message_name'), text ],
		[ value('extra_name1'), value('extra_value1') ],
		[ value('extra_name2'), value('extra_value2') ]
	      ].filter(function(pair) {
		return pair[0] !== '';
	      }).map(function(pair) {
		return encodeURIComponent(pair[0]) + '=' + encodeURIComponent(pair[1]).replace(/!/g, '%21');
	      }).join('&'),
	      scheme = value('use_https_protocol') == '1' || /^https:/i.test(value('url')) ? 'https://' : 'http://',
	      rest = value('url').replace(/^https?:\/\//i, '').replace(/^[^@\/]*@/, ''),
	      url = scheme + (rest || '…');

	if (value('method') == 'post')
		return 'POST ' + url + '\n\n' + pairs;

	return 'GET ' + url + (pairs ? (url.indexOf('?') == -1 ? '?' : '&') + pairs : '');
}

function toSms(s) {
	let o;

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	functionpage.state(s, 'general', 'forwarding_to_sms');
	options.enabled(s, _('Turns SMS Forwarding To SMS on or off.'));
	options.everySms(s);
	options.senderNumber(s);
	options.mode(s, 'senders_number');

	o = s.taboption('general', form.DynamicList, 'number', _('Recipient\'s phone number(s)'),
		_('Where messages are forwarded to.'));
	fields.needed(fields.phones(o), 'enabled');

	o = s.taboption('advanced', form.Value, 'max_per_hour', _('Messages an hour'),
		_('Most messages that each recipient gets within an hour; further ones wait. Stops gateways that forward to each other in a ring. 0: no limit.'));
	fields.number(o, 0, 10000, 100);

	options.modem(s);
}

function toEmail(s) {
	let o;

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	functionpage.state(s, 'general', 'forwarding_to_smtp');
	options.enabled(s, _('Turns SMS Forwarding To Email on or off.'));
	options.everySms(s);
	options.senderNumber(s);

	o = s.taboption('general', form.Value, 'subject', _('Subject'), _('Subject of the mails.'));
	fields.text(o, 0, 200);

	o = s.taboption('general', form.Value, 'smtpip', _('SMTP server'), _('Host name or address of the mail server.'));
	o.placeholder = 'smtp.example.com';
	fields.needed(fields.host(o), 'enabled');

	o = s.taboption('general', form.Value, 'smtpport', _('SMTP port'),
		_('TCP port of the mail server. Empty: 465 with implicit TLS, else 587.'));
	fields.port(o, 1);

	o = s.taboption('general', form.Flag, 'secureconnection', _('Secure connection'),
		_('Uses TLS. Off: plain, and the password is sent as it is.'));
	o.default = '0';

	o = s.taboption('general', form.Value, 'username', _('User name'), _('Account on the mail server. Empty: no login.'));
	fields.text(o, 0, 256);

	o = s.taboption('general', form.Value, 'password', _('Password'), _('Password of the account.'));
	fields.secret(fields.text(o, 0, 256));

	o = s.taboption('general', form.Value, 'senderemail', _('Sender\'s email address'),
		_('The address that mails come from.'));
	fields.needed(fields.email(o), 'enabled');

	o = s.taboption('general', form.DynamicList, 'recipemail', _('Recipient\'s email address'),
		_('The addresses that messages are forwarded to.'));
	fields.needed(fields.email(fields.list(o)), 'enabled');

	options.mode(s, 'number');

	o = s.taboption('advanced', form.ListValue, 'tls', _('Kind of TLS'),
		_('With a secure connection: TLS from the first byte ("implicit"), STARTTLS required ("starttls"), or by the port: implicit on 465, STARTTLS on others ("auto").'));
	o.value('auto', _('By the port'));
	o.value('implicit', _('From the first byte'));
	o.value('starttls', 'STARTTLS');
	o.default = 'auto';
	o.depends('secureconnection', '1');
	o.retain = true;

	options.sslVerify(s);
	options.caFile(s);
	options.timeout(s);
	options.retryHours(s);

	o = s.taboption('advanced', form.Flag, 'reply_by_mail', _('Answer by mail'),
		_('Puts a token in the subject. When Email to SMS reads the mailbox that answers arrive in, an answer to such a mail goes back to the sender as SMS.'));
	o.default = '0';
}

return view.extend({
	load: function() {
		return functionpage.load({
			forwarding_to_http: 'sms_gateway',
			forwarding_to_sms: 'sms_gateway',
			forwarding_to_smtp: 'sms_gateway'
		});
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('SMS Forwarding'),
			_('Hands received messages to a web server, to other phones or to a mailbox.'));

		m.tabbed = true;

		/* The second argument names the tab; the section is found by its name. */
		toHttp(m.section(form.NamedSection, 'forwarding_to_http', 'to_http', _('HTTP')));
		toSms(m.section(form.NamedSection, 'forwarding_to_sms', 'to_sms', _('SMS')));
		toEmail(m.section(form.NamedSection, 'forwarding_to_smtp', 'to_smtp', _('Email')));

		return functionpage.render(m, status, [ 'forwarding_to_http', 'forwarding_to_sms', 'forwarding_to_smtp' ]);
	}
});
