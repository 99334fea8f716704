'use strict';
'require view';
'require form';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';

return view.extend({
	load: function() {
		return functionpage.load();
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Phone groups'),
			_('Numbers under one name, for sending and for rules. Add a group, then its numbers.')),
		      s = m.section(form.GridSection, 'group');
		let o;

		s.anonymous = true;
		s.addremove = true;
		s.nodescriptions = true;
		s.addbtntitle = _('Add a group');
		s.modaltitle = _('Phone group');

		o = s.option(form.Value, 'name', _('Group name'), _('The name that requests and rules use.'));
		fields.needed(fields.text(o, 1, 64));

		o = s.option(form.DynamicList, 'tel', _('Phone numbers'), _('Members of the group.'));
		fields.phones(o);

		return functionpage.render(m, status, [ 'group' ]);
	}
});
