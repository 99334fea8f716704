'use strict';
'require baseclass';
'require form';
'require uci';
'require sms_gateway.fields as fields';

/* Options that several functions have. */
return baseclass.extend({
	enabled: function(section, help) {
		const o = section.taboption('general', form.Flag, 'enabled', _('Enable'), help);

		/* Written as 0 too: scripts look for it. */
		o.rmempty = false;
		o.default = '0';

		return o;
	},

	everySms: function(section, title, help, tab) {
		const o = section.taboption(tab || 'general', form.Flag, 'every_sms',
			title || _('Forward SMS Utilities rules'),
			help || _('On: messages that trigger a rule are forwarded as well.'));

		o.default = '0';

		return o;
	},

	senderNumber: function(section) {
		const o = section.taboption('general', form.Flag, 'sender_num', _('Add sender\'s number'),
			_('Adds the original sender\'s number to the forwarded message.'));

		o.default = '0';

		return o;
	},

	/* Everyone, or the numbers of a list that shows only then. The list stays in the file while it is not used. */
	mode: function(section, list, words) {
		const about = words || {};
		let o = section.taboption('general', form.ListValue, 'mode', _('Mode'),
			about.help || _('Messages of everyone, or of the listed numbers only.'));

		o.value('everyone', about.everyone || _('All messages'));
		o.value('list', about.list || _('From listed numbers'));
		o.default = 'everyone';

		o = section.taboption('general', form.DynamicList, list, about.title || _('Sender\'s phone number'),
			about.numbers || _('The senders that mode "list" means.'));
		o.depends('mode', 'list');
		o.retain = true;
		fields.phones(o);

		return o;
	},

	caFile: function(section) {
		return fields.file(section.taboption('advanced', form.Value, 'ca_file', _('CA file'),
			_('PEM file with the certificates to verify the server by. Empty: the usual authorities.')));
	},

	sslVerify: function(section) {
		const o = section.taboption('advanced', form.Flag, 'ssl_verify', _('Verify certificate'),
			_('Refuses a server whose certificate is not valid for its name. Off: accepts any certificate, so that somebody in between can read along.'));

		o.default = '1';

		return o;
	},

	timeout: function(section) {
		return fields.number(section.taboption('advanced', form.Value, 'timeout', _('Time-out'),
			_('Seconds to wait for each answer of the server.')), 1, 300, 30);
	},

	retryHours: function(section) {
		return fields.number(section.taboption('advanced', form.Value, 'retry_hours', _('Retry for'),
			_('Hours during which a message that could not be delivered is tried again, also across restarts. 0: one try only.')), 0, 720, 48);
	},

	maxFailures: function(section) {
		return fields.number(section.taboption('advanced', form.Value, 'max_failures', _('Failed logins'),
			_('Wrong logins after which an address is locked out. 0: never.')), 0, 1000, 10);
	},

	lockout: function(section) {
		return fields.number(section.taboption('advanced', form.Value, 'lockout', _('Lock-out time'),
			_('Seconds that an address stays locked out.')), 1, 86400, 300);
	},

	/* One of the modems of the config, as a choice; another name may stand in the file. */
	modem: function(section, help) {
		const o = section.taboption('advanced', form.Value, 'modem', _('Modem'),
			help || _('Name of the modem that sends. Empty: any.'));

		o.placeholder = _('any');
		fields.names(o, this.modems(), 'name');

		return fields.text(o, 0, 64);
	},

	/* Modems of the config by the names that the service gives them. */
	modems: function() {
		return uci.sections('sms_gateway', 'modem').map(function(section, i) {
			return { name: section['.anonymous'] ? 'modem%d'.format(i) : section['.name'] };
		});
	},

	groups: function() {
		return uci.sections('sms_gateway', 'group');
	}
});
