'use strict';
'require view';
'require dom';
'require form';
'require uci';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';
'require sms_gateway.token as token';

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

/* Selects the text where the page may not write to the clipboard itself: LuCI without HTTPS. */
function copy(input) {
	input.select();

	return navigator.clipboard
		? navigator.clipboard.writeText(input.value)
		: document.execCommand('copy') ? Promise.resolve() : Promise.reject(new Error());
}

/* The token, to be copied now; `replaces` says that another one ends. */
function newToken(text, replaces) {
	const said = E('span', { 'role': 'status', 'class': 'sg-muted' }),
	      input = E('input', {
		      'type': 'text',
		      'class': 'cbi-input-text',
		      'readonly': '',
		      'value': text,
		      'aria-label': _('The token'),
		      'focus': function() { this.select(); }
	      });

	return E('div', { 'class': 'alert-message notice', 'role': 'status' }, [ E('div', { 'class': 'sg-new-token' }, [
		E('p', {}, [
			_('Copy the token into the program now: it is shown only here, and nobody can read it later.'),
			' ',
			replaces
				? _('When this is saved and applied it works, and the one before no longer does.')
				: _('It works when this is saved and applied.')
		]),
		input,
		E('div', { 'class': 'sg-add' }, [
			E('button', {
				'type': 'button',
				'class': 'btn cbi-button cbi-button-neutral',
				'click': L.ui.createHandlerFn(this, function() {
					return copy(input).then(function() {
						said.textContent = _('Copied.');
					}).catch(function() {
						said.textContent = _('Press Ctrl+C to copy it.');
					});
				})
			}, [ _('Copy') ]),
			said
		])
	]) ]);
}

/* A button that makes a token, and puts what the config has of it into the field of the hash. */
function tokenButton(option) {
	option.renderWidget = function(section_id) {
		const section = this.section,
		      answer = E('div', { 'class': 'sg-test-answer' });

		return E('div', {}, [
			E('button', {
				'type': 'button',
				'class': 'btn cbi-button cbi-button-action',
				'disabled': this.map.readonly || null,
				'click': function() {
					const made = token.make(),
					      field = section.getOption('hash').getUIElement(section_id),
					      before = uci.get('sms_gateway', section_id, 'hash');

					field.setValue(made.hash);
					field.triggerValidation();
					dom.content(answer, [ newToken(made.token, before) ]);
				}
			}, [ _('Make a new token') ]),
			answer
		]);
	};
}

/* Programs that use the REST interface. The service keeps no token, only what it is recognised by. */
function tokens(s) {
	let o;

	s.anonymous = true;
	s.addremove = true;
	s.nodescriptions = true;
	s.addbtntitle = _('Add a token');
	s.modaltitle = _('API token');

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	o = s.taboption('general', form.Flag, 'enabled', _('Enable'), _('Whether the token is accepted.'));
	o.default = '1';
	o.rmempty = false;
	o.editable = true;

	o = s.taboption('general', form.Value, 'name', _('Name'),
		_('The program that has the token. Its messages have the source token:NAME.'));
	fields.needed(fields.text(o, 1, 32, /^[A-Za-z0-9_.-]{1,32}$/, _('1 to 32 letters, digits, dots, dashes and underscores')));

	o = s.taboption('general', form.DummyValue, '_token', _('Token'));
	o.modalonly = true;
	tokenButton(o);

	o = s.taboption('general', form.Value, 'hash', _('Hash'),
		_('What the token is recognised by: its first digits, and the SHA-256 of the whole. `smsgw token create NAME` makes both and shows the token once, as the pages do.'));
	o.modalonly = true;
	fields.needed(fields.secret(fields.text(o, 73, 73, /^[0-9a-f]{8}:[0-9a-f]{64}$/, _('a line of smsgw token create'))));

	o = s.taboption('general', form.DynamicList, 'scope', _('Scopes'),
		_('What the token may do: "send" messages and follow them, "read" messages and states, "delete" messages, "admin" for everything.'));
	fields.usual(o, 'send');
	[ 'send', 'read', 'delete', 'admin' ].forEach(function(scope) {
		o.value(scope, scope);
	});
	fields.check(o, function(value) {
		return /^(send|read|delete|admin)$/i.test(value.trim()) ? true : _('Expecting: %s').format('send, read, delete, admin');
	});

	o = s.taboption('advanced', form.DynamicList, 'allow_from', _('Allowed clients'),
		_('Addresses or networks that may use the token. Empty: all.'));
	o.datatype = 'ipaddr';
	o.modalonly = true;

	o = s.taboption('advanced', form.Value, 'daily_limit', _('Daily limit'),
		_('How many messages it may send on a day of the router; each recipient counts, and each retry. 0: any number.'));
	o.modalonly = true;
	fields.number(o, 0, 1000000, 0);

	o = s.taboption('general', form.Value, 'expires', _('Expires'),
		_('When the token ends, YYYY-MM-DD HH:MM, time of the router. Empty: never.'));
	fields.date(o);
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

		tokens(m.section(form.GridSection, 'token', _('API tokens'),
			_('Programs that use the REST interface, /api/v1, each with a token of its own, which goes into the header field Authorization: Bearer TOKEN.')));

		return functionpage.render(m, status, [ 'post_get', 'token' ]);
	}
});
