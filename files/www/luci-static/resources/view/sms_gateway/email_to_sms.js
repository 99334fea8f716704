'use strict';
'require view';
'require form';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

return view.extend({
	load: function() {
		return functionpage.load({ pop3: 'pop3' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Email to SMS'),
			_('Reads a mailbox and sends each mail whose subject is a phone number as SMS. By default everything in the mailbox is deleted.')),
		      s = m.section(form.NamedSection, 'pop3', 'pop3');
		let o;

		s.tab('general', _('General'));
		s.tab('advanced', _('Advanced'));

		functionpage.state(s, 'general', 'pop3');
		options.enabled(s, _('Turns Email to SMS on or off.'));

		o = s.taboption('general', form.Value, 'host', _('POP3 server'),
			_('Host name or address of the POP3 server.'));
		o.placeholder = 'pop.example.com';
		fields.needed(fields.host(o), 'enabled');

		o = s.taboption('general', form.Value, 'port', _('Server port'),
			_('TCP port of the POP3 server. Empty: 995 with SSL, else 110.'));
		fields.port(o, 1);

		o = s.taboption('general', form.Value, 'username', _('User name'), _('Account on the server.'));
		fields.needed(fields.text(o, 0, 256), 'enabled');

		o = s.taboption('general', form.Value, 'password', _('Password'), _('Password of the account.'));
		fields.secret(fields.needed(fields.text(o, 0, 256), 'enabled'));

		o = s.taboption('general', form.Flag, 'ssl', _('Secure connection (SSL)'), _('TLS from the first byte.'));
		o.default = '0';

		o = s.taboption('general', form.Value, 'limit', _('Max. email symbol count'),
			_('Mails with a longer text are not sent.'));
		o.default = '160';
		fields.number(o, 1, 10000);

		o = s.taboption('general', form.ListValue, 'time', _('Check email every, unit'),
			_('Whether "min", "hour" or "day" says how often the mailbox is read.'));
		o.value('min', _('Minutes'));
		o.value('hour', _('Hours'));
		o.value('day', _('Days'));
		o.default = 'min';

		o = s.taboption('general', form.Value, 'min', _('Check email every, minutes'),
			_('Minutes between looks into the mailbox, when the unit is "min".'));
		o.default = '1';
		o.depends('time', 'min');
		o.retain = true;
		fields.number(o, 1, 59);

		o = s.taboption('general', form.Value, 'hour', _('Check email every, hours'),
			_('Hours between looks into the mailbox, when the unit is "hour".'));
		o.default = '1';
		o.depends('time', 'hour');
		o.retain = true;
		fields.number(o, 1, 23);

		o = s.taboption('general', form.Value, 'day', _('Check email every, days'),
			_('Days between looks into the mailbox, when the unit is "day".'));
		o.default = '1';
		o.depends('time', 'day');
		o.retain = true;
		fields.number(o, 1, 15);

		o = s.taboption('advanced', form.Flag, 'starttls', _('STLS'),
			_('Upgrades a plain connection to TLS. A server without STLS is an error.'));
		o.default = '0';
		o.depends('ssl', '0');
		o.retain = true;

		options.sslVerify(s);
		options.caFile(s);
		options.timeout(s);

		o = s.taboption('advanced', form.ListValue, 'delete', _('Delete'),
			_('"all": every mail in the mailbox, as the original does. "handled": only mails that became an SMS, or whose sender was sent the reason why not.'));
		o.value('all', _('All mails'));
		o.value('handled', _('Only handled mails'));
		o.default = 'all';

		o = s.taboption('advanced', form.DynamicList, 'allow_from', _('Allowed senders'),
			_('Mail addresses, or @domain for all of a domain, whose mails are sent. Empty: all. A From line is easily forged.'));
		fields.text(o, 1, 254, /^[^@\s]*@[^@\s]+$/, _('an address, or @domain'));

		o = s.taboption('advanced', form.Flag, 'loose_subject', _('Lenient subject'),
			_('Also takes subjects such as "Re: [EXTERNAL] +370 600 00001" or "tel:+37060000001".'));
		o.default = '0';

		o = s.taboption('advanced', form.Value, 'max_recipients', _('Recipients'),
			_('How many numbers, separated by commas, a subject may hold.'));
		fields.number(o, 1, 50, 1);

		o = s.taboption('advanced', form.Flag, 'strip_signature', _('Strip signature'),
			_('Removes the lines after "-- ", and quoted text of earlier mails.'));
		o.default = '0';

		o = s.taboption('advanced', form.Flag, 'reply_on_failure', _('Report failures to the sender'),
			_('Sends a mail back when the SMS could not be sent, through the server of SMS Forwarding To Email.'));
		o.default = '0';

		o = s.taboption('advanced', form.Value, 'max_size', _('Largest mail'),
			_('Larger mails, in KiB with their attachments, are not fetched.'));
		fields.number(o, 1, 10240, 512);

		options.modem(s);

		return functionpage.render(m, status, [ 'pop3' ]);
	}
});
