'use strict';
'require view';
'require form';
'require uci';

return view.extend({
	load: function() {
		return uci.load('sms_gateway').then(function() {
			if (uci.get('sms_gateway', 'post_get') == null)
				uci.add('sms_gateway', 'post_get', 'post_get');
		});
	},

	render: function() {
		var m, s, o;

		m = new form.Map('sms_gateway', _('Post/Get'),
			_('The cgi-bin URLs: sms_list, sms_read, sms_send, sms_total and sms_delete.'));

		s = m.section(form.NamedSection, 'post_get', 'post_get');
		s.tab('general', _('General'));
		s.tab('advanced', _('Advanced'));

		o = s.taboption('general', form.Flag, 'enabled', _('Enable'),
			_('Turns SMS Post/Get on or off.'));
		o.rmempty = false;

		o = s.taboption('general', form.Value, 'username', _('User name'),
			_('User name that requests must give.'));
		o.default = 'user1';
		o.rmempty = false;

		o = s.taboption('general', form.Value, 'password', _('Password'),
			_('Password that requests must give, at least 5 characters: plain, or a crypt hash ($1$, $5$, $6$). The factory password is accepted from private addresses only.'));
		o.password = true;
		o.rmempty = false;
		o.validate = function(section_id, value) {
			return value === '' || (value.length >= 5 && value.length <= 256)
				? true : _('Expecting: %s').format(_('5 to 256 characters'));
		};

		o = s.taboption('advanced', form.ListValue, 'date_format', _('Date format'),
			_('How sms_list and sms_read write times: "ctime" as firmware from 7.03 on (Wed Dec 28 17:19:31 2022), "iso" as older ones.'));
		o.value('ctime', _('ctime: Wed Dec 28 17:19:31 2022'));
		o.value('iso', _('iso: 2022-12-28 17:19:31'));
		o.default = 'ctime';

		o = s.taboption('advanced', form.Flag, 'strict_status', _('Strict HTTP status'),
			_('On: errors carry a 4xx or 5xx status. Off: as the original, 200 with an error word, and 401 for a bad login.'));

		o = s.taboption('advanced', form.DynamicList, 'allow_from', _('Allowed clients'),
			_('Addresses or networks that may use the URLs. Empty: all.'));
		o.datatype = 'ipaddr';

		o = s.taboption('advanced', form.Value, 'send_timeout', _('Wait for sending'),
			_('Seconds that sms_send waits for the modem before it answers TIMEOUT. 0: answers OK as soon as the message is safely queued.'));
		o.datatype = 'and(uinteger,range(0,50))';
		o.placeholder = '30';

		return m.render();
	}
});
