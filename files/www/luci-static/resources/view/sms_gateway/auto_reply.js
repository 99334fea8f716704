'use strict';
'require view';
'require form';
'require sms_gateway.counter as counter';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

return view.extend({
	load: function() {
		return functionpage.load({ auto_reply: 'auto_reply' });
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Auto Reply'), _('Answers received messages with a fixed text.')),
		      s = m.section(form.NamedSection, 'auto_reply', 'auto_reply');
		let o;

		s.tab('general', _('General'));
		s.tab('advanced', _('Advanced'));

		functionpage.state(s, 'general', 'auto_reply');
		options.enabled(s, _('Turns Auto Reply on or off.'));
		options.everySms(s, _('Reply SMS Utilities rules'),
			_('On: messages that trigger a rule are answered as well.'));

		o = s.taboption('general', form.Flag, 'delete_msg', _('Don\'t save received messages'),
			_('On: every received message is deleted after all functions have handled it.'));
		o.default = '0';

		o = s.taboption('general', form.TextValue, 'msg', _('Message text'),
			_('Text of the answer. Placeholders: %rn router name, %wi WAN address, %cs data connection state, %ct connection type, %ss signal strength, %fs new firmware, %sn number of the sender, %dt date and time; %% is a percent sign.'));
		o.rows = 4;
		fields.needed(fields.text(o, 0, 4000), 'enabled');
		counter.attach(o);

		options.mode(s, 'number', {
			help: _('Answers everyone, or the listed numbers only.'),
			everyone: _('Everyone'),
			list: _('Listed numbers'),
			title: _('Recipient\'s phone number'),
			numbers: _('The numbers that mode "list" answers.')
		});

		o = s.taboption('advanced', form.Value, 'max_per_hour', _('Replies an hour'),
			_('Most answers that one sender gets within an hour, also across restarts. Stops two machines that answer each other.'));
		fields.number(o, 1, 1000, 4);

		o = s.taboption('advanced', form.Value, 'min_digits', _('Shortest sender'),
			_('Senders with fewer digits are services and get no answer; 0 answers them too. Senders with a name instead of a number never get an answer.'));
		fields.number(o, 0, 20, 7);

		return functionpage.render(m, status, [ 'auto_reply' ]);
	}
});
