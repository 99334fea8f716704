'use strict';
'require view';
'require form';
'require uci';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

/* The manual's examples, for this router. */
function examples() {
	const login = 'username=%s&password=…'.format(encodeURIComponent(uci.get('sms_gateway', 'post_get', 'username') || 'user1')),
	      base = window.location.origin + '/cgi-bin/';

	return [
		[ _('List messages'), 'sms_list?' + login ],
		[ _('Read a message'), 'sms_read?' + login + '&number=1' ],
		[ _('Send to a number'), 'sms_send?' + login + '&number=0037060000001&text=testmessage' ],
		[ _('Send to a group'), 'sms_send?' + login + '&group=group_name&text=testmessage' ],
		[ _('Count messages'), 'sms_total?' + login ],
		[ _('Delete a message'), 'sms_delete?' + login + '&number=1' ]
	].map(function(example) {
		return [ example[0], base + example[1] ];
	});
}

return view.extend({
	load: function() {
		return functionpage.load({ post_get: 'post_get' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Post/Get'),
			_('The cgi-bin URLs: sms_list, sms_read, sms_send, sms_total and sms_delete.')),
		      s = m.section(form.NamedSection, 'post_get', 'post_get');
		let o;

		s.tab('general', _('General'));
		s.tab('advanced', _('Advanced'));
		s.tab('examples', _('Examples'));

		functionpage.state(s, 'general', 'post_get');
		options.enabled(s, _('Turns SMS Post/Get on or off.'));

		o = s.taboption('general', form.Value, 'username', _('User name'),
			_('User name that requests must give.'));
		o.default = 'user1';
		o.rmempty = false;
		fields.text(o, 1, 64);

		o = s.taboption('general', form.Value, 'password', _('Password'),
			_('Password that requests must give, at least 5 characters: plain, or a crypt hash ($1$, $5$, $6$). The factory password is accepted from private addresses only, from no page of another site, and for sending only where that is switched on.'));
		o.default = 'user_pass';
		o.rmempty = false;
		fields.secret(fields.text(o, 5, 256));

		o = s.taboption('advanced', form.Flag, 'factory_sends', _('Send with the factory password'),
			_('On: sms_send works with the factory password, too. Everybody knows it, and any program on the network could send messages at your cost: choose a password instead.'));
		o.default = '0';

		o = s.taboption('advanced', form.ListValue, 'date_format', _('Date format'),
			_('How sms_list and sms_read write times: "ctime" as firmware from 7.03 on (Wed Dec 28 17:19:31 2022), "iso" as older ones.'));
		o.value('ctime', 'ctime');
		o.value('iso', 'iso');
		o.default = 'ctime';

		o = s.taboption('advanced', form.Flag, 'strict_status', _('Strict HTTP status'),
			_('On: errors carry a 4xx or 5xx status. Off: as the original, 200 with an error word, and 401 for a bad login.'));
		o.default = '0';

		o = s.taboption('advanced', form.DynamicList, 'allow_from', _('Allowed clients'),
			_('Addresses or networks that may use the URLs. Empty: all.'));
		o.datatype = 'ipaddr';

		o = s.taboption('advanced', form.Value, 'send_timeout', _('Wait for sending'),
			_('Seconds that sms_send waits for the modem before it answers TIMEOUT. 0: answers OK as soon as the message is safely queued.'));
		fields.number(o, 0, 50, 30);

		options.maxFailures(s);
		options.lockout(s);
		options.modem(s);

		o = s.taboption('examples', form.DummyValue, '_examples', _('URLs'));
		o.renderWidget = function() {
			return E('div', {}, examples().map(function(example) {
				return E('div', {}, [
					E('div', { 'class': 'sg-words' }, [ example[0] ]),
					E('div', { 'class': 'sg-example' }, [ example[1] ])
				]);
			}));
		};

		return functionpage.render(m, status, [ 'post_get' ]);
	}
});
