'use strict';
'require view';
'require form';
'require poll';
'require uci';
'require sms_gateway.addrow as addrow';
'require sms_gateway.counter as counter';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';
'require sms_gateway.schedule as schedule';
'require sms_gateway.service as service';

/* UTF-8 in Base64 as text; what is neither stays as it is. */
function decode(text) {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(window.atob(text), function(c) {
			return c.charCodeAt(0);
		}));
	}
	catch (e) {
		return text;
	}
}

function encode(text) {
	return window.btoa(Array.from(new TextEncoder().encode(text), function(octet) {
		return String.fromCharCode(octet);
	}).join(''));
}

function stored(section_id) {
	const text = uci.get('sms_gateway', section_id, 'message');

	return text != null && uci.get('sms_gateway', section_id, 'is_b64') == '1' ? decode(text) : text;
}

function recipient(value) {
	return value('group') ? _('group %s').format(value('group')) : value('phonenumber') || '';
}

return view.extend({
	load: function() {
		return Promise.all([
			functionpage.load(),
			service.module({ module: 'scheduled' }).catch(function() { return {}; })
		]);
	},

	render: function(loaded) {
		const status = loaded[0],
		      m = new form.Map('sms_gateway', _('Scheduled SMS'),
			_('Sends a text to a number or a group at set times. Times are those of the router: one that does not exist when the clock is put forward counts right after, one that exists twice counts once.')),
		      s = m.section(form.GridSection, 'msg', _('Messages To Send'),
			_('Enter the phone number of the recipient and press “Add”; text and time follow.'));
		let details = loaded[1].details || {},
		    o;

		function nextRun(section_id) {
			const name = functionpage.nameOf('msg', section_id),
			      rule = (details.rules || []).filter(function(each) { return each.section == name; })[0] || {},
			      zone = details.time_zone == 'host' ? '' : details.time_zone || '';

			return rule.next_local ? (rule.next_local + ' ' + zone).trim() : '–';
		}

		/* The service takes new settings up a moment after the page has come back. */
		poll.add(function() {
			return service.module({ module: 'scheduled' }).then(function(module) {
				details = module.details || {};
				document.querySelectorAll('[data-next]').forEach(function(node) {
					node.textContent = nextRun(node.getAttribute('data-next'));
				});
			});
		}, 5);

		s.nodescriptions = true;
		s.modaltitle = _('Scheduled message');
		addrow.to(s, {
			option: 'phonenumber',
			label: _('Phone number'),
			placeholder: _('Phone number'),
			button: _('Add'),
			check: function(value) {
				return fields.isPhone(value) ? true : _('Expecting: %s').format(_('a phone number such as +37060000001'));
			}
		});

		s.tab('general', _('General'));
		s.tab('advanced', _('Advanced'));

		o = s.taboption('general', form.Flag, 'enable', _('Enable'), _('Turns the rule on or off.'));
		o.default = '0';
		o.rmempty = false;
		o.editable = true;

		o = s.taboption('general', form.Value, 'phonenumber', _('Recipient\'s phone number'), _('Who gets the message.'));
		o.depends('group', '');
		fields.needed(fields.phone(o), 'enable');
		o.textvalue = function(section_id) {
			return E('span', {}, [ recipient(function(name) { return uci.get('sms_gateway', section_id, name); }) || '–' ]);
		};

		o = s.taboption('general', form.TextValue, 'message', _('Message text'), _('The message that will be sent.'));
		o.rows = 4;
		o.load = stored;
		o.write = function(section_id, value) {
			const text = this.section.formvalue(section_id, 'is_b64') == '1' ? encode(value) : value;

			/* What nobody changed here is not written over what somebody else may have written since. */
			if (text != uci.get('sms_gateway', section_id, 'message'))
				uci.set('sms_gateway', section_id, 'message', text);
		};
		o.forcewrite = true;
		o.textvalue = function(section_id) {
			const text = stored(section_id) || '';

			return E('span', {}, [ text.length > 60 ? text.slice(0, 60) + '…' : text ]);
		};
		fields.needed(fields.text(o, 0, 8000));
		counter.attach(o);

		o = s.taboption('general', form.DummyValue, '_when', _('When'));
		o.modalonly = false;
		o.textvalue = function(section_id) {
			return E('span', {}, [ schedule.words(function(name) { return uci.get('sms_gateway', section_id, name); }) ]);
		};

		o = s.taboption('general', form.DummyValue, '_next', _('Next run'));
		o.modalonly = false;
		o.textvalue = function(section_id) {
			return E('span', { 'data-next': section_id }, [ nextRun(section_id) ]);
		};

		o = s.taboption('general', form.ListValue, 'repeats', _('Message sending interval'), _('How often the message is sent.'));
		o.modalonly = true;
		o.value('day', _('Day'));
		o.value('week', _('Week'));
		o.value('month', _('Month'));
		o.value('year', _('Year'));
		o.default = 'day';

		o = s.taboption('general', form.ListValue, 'weekday', _('Weekday'), _('Day for weekly messages.'));
		o.modalonly = true;
		[ 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun' ].forEach(function(day) {
			o.value(day, schedule.weekdays[day]);
		});
		o.depends('repeats', 'week');
		o.retain = true;

		o = s.taboption('general', form.ListValue, 'month', _('Month'), _('Month for yearly messages.'));
		o.modalonly = true;
		schedule.months.forEach(function(month, i) {
			o.value(String(i + 1), month);
		});
		o.depends('repeats', 'year');
		o.retain = true;

		o = s.taboption('general', form.ListValue, 'monthday', _('Day of the month'),
			_('Day for monthly and yearly messages; "28-31" is the last day of the month. A month without that day is skipped.'));
		o.modalonly = true;
		for (let day = 1; day <= 31; day++)
			o.value(String(day), String(day));
		o.value('28-31', _('last day'));
		o.depends('repeats', 'month');
		o.depends('repeats', 'year');
		o.retain = true;

		o = s.taboption('general', form.Value, 'hour', _('Hour'), _('Hour of the day.'));
		o.modalonly = true;
		o.default = '1';
		fields.number(o, 0, 23);

		o = s.taboption('general', form.Value, 'minute', _('Minute'), _('Minute of the hour.'));
		o.modalonly = true;
		o.default = '1';
		fields.number(o, 0, 59);

		o = s.taboption('general', form.DummyValue, '_words', _('In words'));
		o.modalonly = true;
		o.renderWidget = function(section_id) {
			return E('div', { 'class': 'sg-words', 'data-words': section_id, 'aria-live': 'polite' }, [
				sentence(function(name) { return name == 'message' ? stored(section_id) : uci.get('sms_gateway', section_id, name); })
			]);
		};

		o = s.taboption('advanced', form.ListValue, 'group', _('Group'),
			_('Name of the phone group that gets the message, in place of a number.'));
		o.modalonly = true;
		fields.names(o, options.groups(), 'name', _('none'));

		o = s.taboption('advanced', form.Value, 'cron', _('Cron'),
			_('Five fields as in crontab(5) in place of the interval: minute, hour, day of month, month, weekday (0 or 7 is Sunday).'));
		o.modalonly = true;
		o.placeholder = '30 7 * * 1-5';
		fields.cron(o);

		o = s.taboption('advanced', form.Value, 'date', _('Date'), _('One time, YYYY-MM-DD HH:MM, in place of the interval.'));
		o.modalonly = true;
		fields.check(fields.date(o), function(value, section_id) {
			return this.section.formvalue(section_id, 'cron') ? _('A date and a cron entry cannot be set together.') : true;
		});

		o = s.taboption('advanced', form.Value, 'catch_up', _('Catch up'),
			_('A message missed while the router was off is sent if it is at most this many minutes late; of several only the last. 0: it is skipped.'));
		o.modalonly = true;
		fields.number(o, 0, 10080, 0);

		o = options.modem(s);
		o.modalonly = true;

		o = s.taboption('advanced', form.Flag, 'is_b64', _('Base64'), _('The text is stored as Base64 of UTF-8.'));
		o.modalonly = true;
		o.default = '0';

		s.children.forEach(function(option) {
			if (!(option instanceof form.DummyValue))
				option.onchange = function(ev, section_id) {
					const node = document.querySelector('[data-words="' + section_id + '"]'),
					      section = this.section;

					if (node)
						node.textContent = sentence(function(name) { return section.formvalue(section_id, name); });
				};
		});

		return functionpage.render(m, status, [ 'msg', 'scheduled' ]);
	}
});

function sentence(value) {
	const to = recipient(value);

	return to ? _('%s, the message goes to %s.').format(schedule.words(value), to) : schedule.words(value);
}
